public import DNSLookup
public import MailSyntax

/// Evaluates DMARC (RFC 9989), in two steps: what the DNS says of the author's domain, then who vouches for it.
public struct DMARCEvaluator<Resolver: DNSResolving>: Sendable {
    /// Of how many author domains the records are looked for.
    ///
    /// RFC 9989 § 11.5: a limit, or messages with many would be a denial of service.
    public static var mostAuthorDomains: Int { 8 }

    /// Of how many domains that vouch it is found out whether they are aligned.
    public static var mostIdentifiers: Int { 32 }

    private let resolver: Resolver
    private let list: PublicSuffixList?

    /// An evaluator that asks this resolver.
    ///
    /// - Parameter publicSuffixList: decides what an Organizational Domain is where no record does with a `psd` tag,
    ///   as RFC 7489 § 3.2 has it; nil to go by RFC 9989 alone.
    public init(resolver: Resolver, publicSuffixList: PublicSuffixList? = nil) {
        self.resolver = resolver
        list = publicSuffixList
    }

    /// Looks for the policy of one author domain.
    public func discover(_ author: DomainName) async -> DMARCDiscovery {
        await discover(.domain(author, []))
    }

    /// Looks for the policies of every domain that could be the author's.
    public func discover(_ author: AuthorIdentity) async -> DMARCDiscovery {
        var domains = [DMARCDiscovery.Domain]()
        for domain in author.domains.prefix(Self.mostAuthorDomains) {
            let walk = await resolver.walk(from: domain, after: domains.map(\.walk))
            let organizational = walk.isIncomplete ? nil : walk.organizationalDomain(list)
            let policy = await policy(by: walk, organizational)
            domains.append(DMARCDiscovery.Domain(walk: walk, organizationalDomain: organizational, policy: policy))
        }
        return DMARCDiscovery(author: author, domains: domains)
    }

    /// DMARC Policy Discovery (RFC 9989 § 4.10.1).
    private func policy(by walk: DMARCTreeWalk, _ organizational: DomainName?) async -> DMARCDiscovery.Domain.Policy {
        // The Author Domain's own record comes first.
        if let record = walk.startRecord {
            guard record.isUsable else { return .unusable(record, of: walk.start) }
            return .applies(record, of: walk.start, record.policy(isSubdomain: false, exists: true))
        }
        guard let organizational else { return .failed }
        // Then the Organizational Domain's, then that of the Public Suffix Domain, which is the last of the walk.
        let ownRecord = walk.record(at: organizational).map { (domain: organizational, record: $0) }
        guard let (domain, record) = ownRecord ?? walk.topRecord else { return .none }
        guard record.isUsable else { return .unusable(record, of: domain) }
        let policy = record.policy(isSubdomain: true, exists: true)
        let policyIfNone = record.policy(isSubdomain: true, exists: false)
        if policy == policyIfNone || walk.steps.first?.showsExistence == true {
            return .applies(record, of: domain, policy)
        }
        guard let exists = await resolver.exists(walk.start) else { return .undetermined(record, of: domain) }
        return .applies(record, of: domain, exists ? policy : policyIfNone)
    }

    /// Decides whether the author's domain vouches for the message.
    ///
    /// - Parameters:
    ///   - spf: the domain of MAIL FROM, when SPF passed for it (RFC 9989 § 4.4.2: never that of HELO, but for the null
    ///     sender, whose MAIL FROM identity RFC 7208 § 2.4 takes from HELO).
    ///   - dkim: the `d=` of each signature that passed.
    ///   - spfTemperror: the domain of MAIL FROM, when SPF had a temporary error.
    ///   - dkimTemperror: the `d=` of each signature that had one.
    public func evaluate(
        _ discovery: DMARCDiscovery,
        spf: DomainName?,
        dkim: [DomainName],
        spfTemperror: DomainName? = nil,
        dkimTemperror: [DomainName] = []
    ) async -> DMARCOutcome {
        var walks = WalkStore(resolver: resolver, list: list, known: discovery.domains.map(\.walk))
        var outcomes = [DMARCOutcome]()
        for domain in discovery.domains {
            var alignment = Alignment(author: domain)
            await alignment.add(
                .spf,
                passed: spf.map { [$0] } ?? [],
                undecided: spfTemperror.map { [$0] } ?? [],
                &walks
            )
            await alignment.add(.dkim, passed: dkim, undecided: dkimTemperror, &walks)
            outcomes.append(alignment.outcome)
        }
        var outcome = discovery.author.combine(outcomes, limit: Self.mostAuthorDomains)
        outcome.trace = walks.all
        return outcome
    }
}

/// The tree walks for one message; each is made once.
struct WalkStore<Resolver: DNSResolving>: Sendable {
    private let resolver: Resolver
    private let list: PublicSuffixList?
    /// The walks, those for the author's domains first.
    private(set) var all: [DMARCTreeWalk]

    /// A store that knows some walks.
    init(resolver: Resolver, list: PublicSuffixList?, known: [DMARCTreeWalk]) {
        self.resolver = resolver
        self.list = list
        all = known
    }

    /// The Organizational Domain of a domain; nil when the DNS does not say.
    mutating func organizationalDomain(of domain: DomainName) async -> DomainName? {
        let walk: DMARCTreeWalk
        if let known = all.first(where: { $0.start == domain }) {
            walk = known
        } else {
            walk = await resolver.walk(from: domain, after: all)
            all.append(walk)
        }
        return walk.isIncomplete ? nil : walk.organizationalDomain(list)
    }
}
