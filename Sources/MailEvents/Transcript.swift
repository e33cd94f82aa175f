public import MailAuthentication
public import MailSyntax
public import Policy

/// What the SMTP session tells of a message, beside its judgement.
public struct Transcript: Sendable {
    /// Recipients that were answered while checks of the envelope were open.
    public struct Early: Hashable, Sendable {
        /// The checks whose results were known, a bit for each in the order of `Check.allCases`.
        public let known: UInt8
        /// Whether the recipients were refused.
        public let isRefused: Bool

        /// Recipients that were answered by these facts.
        public init(_ facts: PolicyFacts, isRefused: Bool) {
            var known: UInt8 = 0
            for (place, check) in Check.allCases.enumerated() where facts.results[check] != nil {
                known |= 1 << UInt8(truncatingIfNeeded: place)
            }
            self.known = known
            self.isRefused = isRefused
        }

        /// The checks whose results were known.
        var checks: [Check] {
            Check.allCases.enumerated().filter { known & 1 << UInt8(truncatingIfNeeded: $0.offset) != 0 }.map(\.element)
        }
    }

    /// A seal that was put on the message (RFC 8617); a class, because few messages have one.
    public final class Seal: Sendable {
        /// `d=`.
        public let domain: DomainName
        /// `s=`.
        public let selector: DomainName
        /// `i=`.
        public let instance: Int
        /// What it says of the chain before it, `cv=`.
        public let status: String

        /// A seal with these tags.
        public init(domain: DomainName, selector: DomainName, instance: Int, status: String) {
            self.domain = domain
            self.selector = selector
            self.instance = instance
            self.status = status
        }
    }

    /// When the message ended, in milliseconds since 1970.
    public var time: Int64 = 0
    /// The listener.
    public var listener = ""
    /// The hash of the configuration.
    public var configuration = 0
    /// Whether the rules act.
    public var mode = PolicyMode.observe
    /// The MTA's queue ID.
    public var queueID: [UInt8]?
    /// The envelope with the accepted recipients.
    public var envelope = Envelope()
    /// Whether the client's address or the listener makes the message one of our own.
    public var isTrusted = false
    /// Whether the client has authenticated.
    public var hasAuthenticated = false
    /// The client's login.
    public var login: [UInt8]?
    /// The recipients that rules refused.
    public var refused: [[UInt8]] = []
    /// The verdicts on these recipients.
    public var refusals: [PolicyVerdict] = []
    /// The recipients that were told to come in another transaction.
    public var sentAway: [[UInt8]] = []
    /// Whether the MTA waited for no answer to RCPT, although a rule could have refused a recipient.
    public var isUnanswered = false
    /// Recipients that were answered early, by their places among the accepted or the refused ones.
    public var early: [Early: [Int]] = [:]
    /// Why a message to mixed recipients could not be put off.
    public var obstacle: SeparationObstacle?
    /// The seal of the message.
    public var seal: Seal?
    /// The value of Message-ID.
    public var messageID: Octets?
    /// Whether a program sent the message and said so, or it is a DMARC report.
    public var isAutoSubmitted = false
    /// The size of the message, if its body was read.
    public var octetCount: Int?
    /// How long the MTA waited, in milliseconds.
    public var milliseconds = 0

    /// A transcript of nothing.
    public init() {}
}
