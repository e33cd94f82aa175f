internal import MilterProtocol

/// The answer that the MTA waits for, if it waits for one.
///
/// The filter may give it when it is asked, before it returns from being asked, or at any time after that; whatever it says
/// of an earlier question comes too late.
struct PendingAnswer {
    private var number: UInt64 = 0
    /// What the MTA waits for; nil when it waits for nothing.
    private(set) var event: MilterEvent?
    /// Whether the filter is being asked.
    private var isAsking = false
    /// What it said meanwhile.
    private var early: MilterVerdict?

    /// Whether the MTA waits.
    var isWaited: Bool { event != nil }

    /// Begins to ask the filter.
    ///
    /// - Returns: the number by which it may answer.
    mutating func ask(_ event: MilterEvent) -> UInt64 {
        number += 1
        self.event = event
        isAsking = true
        early = nil
        return number
    }

    /// Takes what the filter returned from being asked.
    ///
    /// - Returns: the answer, if there is one by now.
    mutating func asked(_ verdict: MilterVerdict?) -> MilterVerdict? {
        isAsking = false
        guard let verdict = verdict ?? early else { return nil }
        event = nil
        return verdict
    }

    /// Takes what the filter says later.
    ///
    /// - Returns: the event that is answered now; nil when the MTA does not wait for this answer, or the filter is still being
    ///   asked.
    mutating func take(_ verdict: MilterVerdict, number: UInt64) -> MilterEvent? {
        guard let event, number == self.number else { return nil }
        guard !isAsking else {
            early = early ?? verdict
            return nil
        }
        self.event = nil
        return event
    }

    /// Gives the answer up.
    mutating func cancel() { event = nil }
}
