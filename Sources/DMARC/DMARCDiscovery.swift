public import MailSyntax

/// The DNS data about the author's domain, known before the results of SPF and DKIM.
public struct DMARCDiscovery: Sendable {
    /// The author of the message.
    public let author: AuthorIdentity
    /// The data about each domain that could be the author's.
    let domains: [Domain]

    /// The data about one domain.
    struct Domain: Sendable {
        let walk: DMARCTreeWalk
        /// Nil when the walk could not be completed.
        let organizationalDomain: DomainName?
        let policy: Policy

        /// The record that applies to the domain (RFC 9989 § 4.10.1).
        enum Policy: Sendable {
            case none
            case applies(DMARCRecord, of: DomainName, DMARCPolicy)
            /// The record applies, but it is unknown whether its `np` does.
            case undetermined(DMARCRecord, of: DomainName)
            case unusable(DMARCRecord, of: DomainName)
            case failed
        }
    }
}
