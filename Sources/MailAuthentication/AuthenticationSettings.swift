public import DKIM
public import DMARC
public import Policy
public import SPF

/// Which checks are made of a message, and how.
public struct AuthenticationSettings: Sendable {
    /// The checks to make.
    public var checks = PerCheck<Bool> { _ in true }
    /// How SPF and Sender ID records are evaluated.
    public var spf = SPFOptions()
    /// How signatures are verified.
    public var dkim = DKIMVerificationOptions()
    /// How DMARC finds out whether two domains belong together.
    public var alignment = AlignmentMethod.walk

    /// All checks, by their defaults.
    public init() {}
}
