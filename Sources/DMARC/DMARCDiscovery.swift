public import MailSyntax

/// What the DNS says of the author's domain: known before the results of SPF and DKIM are.
public struct DMARCDiscovery: Sendable {
    /// Who the author is.
    public let author: AuthorIdentity
    /// What is known of each domain that could be the author's.
    let domains: [Domain]

    /// One domain.
    struct Domain: Sendable {
        let walk: DMARCTreeWalk
        /// Nil when the walk could not be completed.
        let organizationalDomain: DomainName?
        let policy: Policy

        /// The record that applies to the domain (RFC 9989 § 4.10.1).
        enum Policy: Sendable {
            case none
            case applies(DMARCRecord, of: DomainName, DMARCPolicy)
            /// The record applies, but whether `np` does could not be found out.
            case undetermined(DMARCRecord, of: DomainName)
            case unusable(DMARCRecord, of: DomainName)
            case failed
        }
    }
}
