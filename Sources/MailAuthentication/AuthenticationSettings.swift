public import DKIM
public import DMARC
public import MailSyntax
public import Policy
public import SPF

/// The checks to make for a message, and their options.
public struct AuthenticationSettings: Sendable {
    /// The checks to make.
    public var checks = PerCheck<Bool> { $0 != .arc }
    /// The options for evaluating SPF and Sender ID records.
    public var spf = SPFOptions()
    /// The options for verifying signatures.
    public var dkim = DKIMVerificationOptions()
    /// How DMARC decides whether two domains belong together.
    public var alignment = AlignmentMethod.walk
    /// Whether rules ask if List-Id is vouched for, so that it is worth lookups.
    public var verifiesLists = false
    /// The domains whose SPF records rules ask about.
    public var permits: [DomainName] = []

    /// All checks but ARC, with their defaults.
    public init() {}
}
