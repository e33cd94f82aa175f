public import DMARC
public import MailSyntax

/// The policy of a domain as it was published when a message came (RFC 9990 § 3.1.1.5), and who wants reports.
///
/// An owner who changes the record at noon has two of them that day, and gets a report for each.
public struct PolicyConfiguration: Hashable, Sendable {
    /// How the record was found (RFC 9990 § 3.1.1.5).
    public enum DiscoveryMethod: String, Hashable, Sendable, CaseIterable {
        /// By the public suffix list (RFC 7489).
        case psl
        /// By the DNS Tree Walk (RFC 9989 § 4.10).
        case treewalk
    }

    /// The domain of the record.
    public var domain: DomainName
    /// How the record was found.
    public var discoveryMethod = DiscoveryMethod.treewalk
    /// The policy for the domain; `none` when the record has no valid one (RFC 9989 § 4.10.1).
    public var policy = DMARCPolicy.none
    /// The policy for subdomains; nil when the record has none.
    public var subdomainPolicy: DMARCPolicy?
    /// The policy for subdomains that do not exist; nil when the record has none.
    public var nonexistentSubdomainPolicy: DMARCPolicy?
    /// How closely a signature's domain must match.
    public var dkimAlignment = DMARCRecord.AlignmentMode.relaxed
    /// How closely the domain of MAIL FROM must match.
    public var spfAlignment = DMARCRecord.AlignmentMode.relaxed
    /// The failures that the owner wants reports of, as `1:d:s`.
    public var failureOptions = "0"
    /// Whether the owner is only testing the policies (`t=y`).
    public var isTesting = false
    /// Who gets the report: at most five.
    public var destinations: [ReportDestination] = []
    /// What is wrong with the record, for `error`.
    public var problem: String?

    /// The policy of a record that has no tags.
    ///
    /// - Parameter domain: the domain of the record.
    public init(domain: DomainName) {
        self.domain = domain
    }
}
