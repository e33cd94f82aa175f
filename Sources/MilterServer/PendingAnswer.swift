internal import MilterProtocol

/// The answer that the MTA waits for, if there is one.
///
/// The filter may answer when it is asked, before its callback returns, or at any time after that; an answer to an
/// earlier question is ignored.
struct PendingAnswer {
    private var number: UInt64 = 0
    /// The event whose answer the MTA waits for; nil when it does not wait.
    private(set) var event: MilterEvent?
    /// Whether the filter's callback is running.
    private var isAsking = false
    /// The filter's answer during its callback.
    private var early: MilterVerdict?

    /// Whether the MTA waits.
    var isWaited: Bool { event != nil }

    /// Begins a question to the filter.
    ///
    /// - Returns: the number that the filter's answer must have.
    mutating func ask(_ event: MilterEvent) -> UInt64 {
        number += 1
        self.event = event
        isAsking = true
        early = nil
        return number
    }

    /// Takes the filter's return value.
    ///
    /// - Returns: the answer, if there is one already.
    mutating func asked(_ verdict: MilterVerdict?) -> MilterVerdict? {
        isAsking = false
        guard let verdict = verdict ?? early else { return nil }
        event = nil
        return verdict
    }

    /// Takes a later answer of the filter.
    ///
    /// - Returns: the event that is answered now; nil when the MTA does not wait for this answer, or the filter's
    ///   callback is still running.
    mutating func take(_ verdict: MilterVerdict, number: UInt64) -> MilterEvent? {
        guard let event, number == self.number else { return nil }
        guard !isAsking else {
            early = early ?? verdict
            return nil
        }
        self.event = nil
        return event
    }

    /// Cancels the answer.
    mutating func cancel() { event = nil }
}
