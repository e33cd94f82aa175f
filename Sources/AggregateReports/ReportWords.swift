/// What became of a message by DMARC (RFC 9990 § 3.1.1.9, `ActionDispositionType`).
public enum ReportDisposition: String, Hashable, Sendable, CaseIterable {
    /// Nothing was done.
    case none
    /// It passed DMARC, and the policy for failing mail is quarantine or reject.
    case pass
    /// It failed, and was set aside.
    case quarantine
    /// It failed, and was refused.
    case reject
}

/// Why the disposition is not what the owner's policy asks for (RFC 9990 § 3.1.6).
public struct ReportReason: Hashable, Sendable {
    /// The types that the RFC defines.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A rule of the receiver.
        case localPolicy = "local_policy"
        /// The message came through a mailing list.
        case mailingList = "mailing_list"
        /// Anything else; the comment says what.
        case other
        /// The owner is only testing the policy (`t=y`).
        case policyTestMode = "policy_test_mode"
        /// The message came through a forwarder that the receiver trusts.
        case trustedForwarder = "trusted_forwarder"
    }

    /// The type.
    public var kind: Kind
    /// More, for people.
    public var comment: String?

    /// A reason.
    ///
    /// - Parameters:
    ///   - kind: the type.
    ///   - comment: more, for people.
    public init(_ kind: Kind, comment: String? = nil) {
        self.kind = kind
        self.comment = comment
    }
}

/// The result of a DKIM signature (RFC 8601 § 2.7.1).
public enum ReportDKIMResult: String, Hashable, Sendable, CaseIterable {
    /// The words of RFC 8601.
    case none, pass, fail, policy, neutral, temperror, permerror
}

/// The result of SPF (RFC 8601 § 2.7.2).
public enum ReportSPFResult: String, Hashable, Sendable, CaseIterable {
    /// The words of RFC 8601.
    case none, pass, fail, softfail, policy, neutral, temperror, permerror
}

/// What a report holds at most.
public enum ReportBounds {
    /// The rows of a report: a sender who invents a `d=` for each message makes a row of each.
    public static let rows = 10_000
    /// The DKIM results of a row (RFC 9990 § 3.1.3: "A report SHOULD contain no more than 100 signatures").
    public static let signatures = 100
    /// The octets that the DKIM results of a row take: a hundred of the longest names would be 70,000.
    public static let signatureOctets = 16 << 10
    /// The characters of a domain or a selector: the longest name of the DNS as text.
    public static let nameCharacters = 253
    /// The characters of a `human_result`, and of a comment.
    public static let humanCharacters = 200
    /// The characters of `error`.
    public static let errorCharacters = 2_000
    /// The destinations of a policy that get the report.
    public static let destinations = 5
}
