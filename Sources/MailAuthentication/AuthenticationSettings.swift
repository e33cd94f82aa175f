public import DKIM
public import DMARC
public import SPF

/// Which checks are made of a message, and how.
public struct AuthenticationSettings: Sendable {
    /// A set of checks.
    public struct Checks: OptionSet, Sendable {
        /// One bit a check.
        public let rawValue: Int
        /// The set with these bits.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// SPF of the MAIL FROM and HELO identities (RFC 7208).
        public static let spf = Checks(rawValue: 1)
        /// Sender ID of the purported responsible address (RFC 4406, RFC 4407).
        public static let senderID = Checks(rawValue: 2)
        /// DKIM signatures (RFC 6376).
        public static let dkim = Checks(rawValue: 4)
        /// DMARC of the author's domain (RFC 9989).
        public static let dmarc = Checks(rawValue: 8)
        /// The name of the client's address (RFC 8601 § 3).
        public static let iprev = Checks(rawValue: 16)
        /// All of them.
        public static let all: Checks = [.spf, .senderID, .dkim, .dmarc, .iprev]
    }

    /// The checks to make.
    public var checks: Checks = .all
    /// How SPF and Sender ID records are evaluated.
    public var spf = SPFOptions()
    /// How signatures are verified.
    public var dkim = DKIMVerificationOptions()
    /// How DMARC finds out whether two domains belong together.
    public var alignment = AlignmentMethod.walk

    /// All checks, by their defaults.
    public init() {}
}
