public import MailSyntax

/// For how long somebody who sends a report by hand waits until it may go.
public struct SendingPatience: Sendable {
    /// The longest wait that the rate asks for is a minute.
    private static let longest: Int64 = 90

    /// How long is left, in seconds.
    private var rest = longest

    /// The patience for one report, of which nothing is spent.
    public init() {}

    /// Whether to ask again in a second; counts that second.
    ///
    /// - Parameters:
    ///   - until: when the report may go; nil where that is not known.
    ///   - now: the time.
    public mutating func lasts(until: UnixTime?, now: UnixTime) -> Bool {
        rest -= 1
        guard let until else { return rest > 0 }
        return rest > 0 && until <= now + rest
    }
}
