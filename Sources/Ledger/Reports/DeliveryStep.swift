internal import MailSyntax

/// What became of an attempt to send a report.
public enum DeliveryOutcome: Sendable, Equatable {
    /// The mail server has taken it.
    case accepted(String)
    /// The mail server will not take it for this destination.
    case refused(String)
    /// The mail server wants it later, or it is not known whether it has taken it.
    case deferred(String)
    /// The mail server takes nothing at present, whatever it is.
    case unavailable(String)
    /// The DNS does not say now whether the destination wants it.
    case unverified
    /// It does not go to the destination, for this reason.
    case withheld(DeliveryState, String)
}

/// What follows for a delivery from an attempt.
struct DeliveryStep: Equatable {
    /// How long a report is tried, in seconds.
    static let patience: Int64 = 3 * ReportDay.length
    /// The first and the longest pause between two attempts, in seconds; each is twice the one before.
    static let pauses: ClosedRange<Int64> = 900...28_800

    let state: DeliveryState
    /// When it is tried again; nil where nothing remains to be done.
    let due: UnixTime?
    let detail: String?

    /// What follows.
    ///
    /// - Parameters:
    ///   - outcome: what became of the attempt.
    ///   - attempts: how many there were, with this one.
    ///   - began: when the first one was.
    ///   - window: when reports are sent.
    ///   - now: the time.
    init(_ outcome: DeliveryOutcome, attempts: Int, began: UnixTime, _ window: SendingWindow, now: UnixTime) {
        let isOver = began + Self.patience <= now
        switch outcome {
        case .accepted(let reply): (state, detail) = (.sent, reply)
        case .refused(let reply): (state, detail) = (.refused, reply)
        case .withheld(let reason, let text): (state, detail) = (reason, text)
        case .deferred(let text), .unavailable(let text): (state, detail) = (isOver ? .givenUp : .deferred, text)
        case .unverified: (state, detail) = (isOver ? .givenUp : .unverified, "no answer about the destination")
        }
        due = state.isOpen ? Self.next(attempts: attempts, window, now: now) : nil
    }

    /// When the attempt after so many is.
    static func next(attempts: Int, _ window: SendingWindow, now: UnixTime) -> UnixTime {
        let pause = pauses.lowerBound << Int64(min(max(attempts, 1) - 1, 10))
        return window.next(from: now + min(pause, pauses.upperBound))
    }
}
