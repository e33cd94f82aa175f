/// What becomes of a report.
public enum ReportState: String, Sendable, CaseIterable {
    /// Its day is not closed, or it has not been looked at since.
    case open
    /// It goes to its destinations.
    case made
    /// No message of its domain has passed DMARC within 30 days.
    case gated
    /// The configuration excludes its domain.
    case excluded
    /// All its messages are of a kind that causes no report alone.
    case uncaused = "not caused"
    /// The owner of its domain gets as many others of the day as one may.
    case limited = "owner limit"
    /// Its rows had no room in the store.
    case dropped = "no room"
    /// It cannot be read.
    case damaged
}

/// What becomes of a report for one destination.
public enum DeliveryState: String, Sendable, CaseIterable {
    /// It has not been tried yet.
    case waiting
    /// The DNS has not yet said whether the destination wants it.
    case unverified
    /// It is being sent, or was when the program ended: it goes again.
    case sending
    /// The mail server has taken it.
    case sent
    /// The mail server wants it later, or did not answer.
    case deferred
    /// The mail server has refused it.
    case refused
    /// The destination has refused another, or somebody has stopped reports to it.
    case suppressed
    /// The destination does not say that it wants reports about the domain.
    case unauthorized = "not authorized"
    /// It is greater than the destination's record says it may be.
    case tooLarge = "too large"
    /// It was tried for too long.
    case givenUp = "given up"
    /// It cannot be read.
    case damaged

    /// Whether something remains to be done.
    public var isOpen: Bool {
        switch self {
        case .waiting, .unverified, .sending, .deferred: true
        case .sent, .refused, .suppressed, .unauthorized, .tooLarge, .givenUp, .damaged: false
        }
    }
}
