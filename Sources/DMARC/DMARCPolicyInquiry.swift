public import DNSLookup
public import MailSyntax

/// Finds the policies that apply to the domains that could be the author's (RFC 9989 § 4.10.1).
public struct DMARCPolicyInquiry: DNSInquiry {
    /// The most author domains whose records are looked up.
    ///
    /// RFC 9989 § 11.5: without a limit, messages with many author domains would be a denial of service.
    public static let maximumAuthorDomains = 8

    private let author: AuthorIdentity
    private let alignment: AlignmentMethod

    /// Asks about an author.
    ///
    /// - Parameters:
    ///   - author: the author that the message claims.
    ///   - alignment: the way to find out whether two domains have the same Organizational Domain.
    public init(of author: AuthorIdentity, alignment: AlignmentMethod = .walk) {
        self.author = author
        self.alignment = alignment
    }

    /// Walks from each domain.
    public func pass(over answers: inout DNSAnswers) -> DMARCDiscovery? {
        var walks = WalkStore(answers, method: alignment)
        defer { answers = walks.answers }
        return try? walks.discover(author)
    }
}

/// The walk from a domain that may pass SPF or DKIM later, made early so that its answers are in the cache by then.
public struct DMARCWalkInquiry: DNSInquiry {
    private let domain: DomainName

    /// Asks about a domain.
    public init(from domain: DomainName) {
        self.domain = domain
    }

    /// Makes the walk.
    public func pass(over answers: inout DNSAnswers) -> DMARCTreeWalk? {
        var walks = WalkStore(answers, method: .walk)
        defer { answers = walks.answers }
        return try? walks.walk(from: domain)
    }
}

extension WalkStore {
    /// Collects the DNS data about the author's domains.
    fileprivate mutating func discover(_ author: AuthorIdentity) throws(MissingAnswer) -> DMARCDiscovery {
        var domains = [DMARCDiscovery.Domain]()
        for domain in author.policyDomains.prefix(DMARCPolicyInquiry.maximumAuthorDomains) {
            let walk = try walk(from: domain)
            let organizational = walk.knownOrganizationalDomain
            let policy = try policy(by: walk, organizational)
            domains.append(DMARCDiscovery.Domain(walk: walk, organizationalDomain: organizational, policy: policy))
        }
        return DMARCDiscovery(author: author, domains: domains)
    }

    /// DMARC Policy Discovery (RFC 9989 § 4.10.1).
    private mutating func policy(
        by walk: DMARCTreeWalk,
        _ organizational: DomainName?
    ) throws(MissingAnswer) -> DMARCDiscovery.Domain.Policy {
        // The Author Domain's own record comes first.
        if let record = walk.startRecord {
            guard record.isUsable else { return .unusable(record, of: walk.start) }
            return .applies(record, of: walk.start, record.policy(isSubdomain: false, exists: true))
        }
        guard let organizational else { return .failed }
        // Then the Organizational Domain's record, then the Public Suffix Domain's, which is the last of the walk.
        let ownRecord = walk.record(at: organizational).map { (domain: organizational, record: $0) }
        guard let (domain, record) = ownRecord ?? walk.topRecord else { return .none }
        guard record.isUsable else { return .unusable(record, of: domain) }
        let policy = record.policy(isSubdomain: true, exists: true)
        let policyIfNone = record.policy(isSubdomain: true, exists: false)
        if policy == policyIfNone || walk.steps.first?.showsExistence == true {
            return .applies(record, of: domain, policy)
        }
        guard let exists = try exists(walk.start) else { return .undetermined(record, of: domain) }
        return .applies(record, of: domain, exists ? policy : policyIfNone)
    }
}
