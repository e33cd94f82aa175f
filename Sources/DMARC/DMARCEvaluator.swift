public import DNSLookup
public import MailSyntax

/// Evaluates DMARC (RFC 9989), in two steps: what the DNS says of the author's domain, then who vouches for it.
public struct DMARCEvaluator: Sendable {
    /// Of how many author domains the records are looked for.
    ///
    /// RFC 9989 § 11.5: a limit, or messages with many would be a denial of service.
    public static let mostAuthorDomains = 8

    /// Of how many domains that vouch it is found out whether they are aligned.
    public static let mostIdentifiers = 32

    private let resolver: any DNSResolving
    private let method: AlignmentMethod

    /// An evaluator that asks this resolver.
    ///
    /// - Parameters:
    ///   - resolver: answers the questions.
    ///   - alignment: how it is found out whether two domains have one Organizational Domain.
    public init(resolver: any DNSResolving, alignment: AlignmentMethod = .walk) {
        self.resolver = resolver
        method = alignment
    }

    /// Looks for the policy of one author domain.
    public func discover(_ author: DomainName) async -> DMARCDiscovery {
        await discover(.domain(author, []))
    }

    /// Looks for the policies of every domain that could be the author's.
    public func discover(_ author: AuthorIdentity) async -> DMARCDiscovery {
        var walks = WalkStore(resolver: resolver, method: method)
        return await walks.waiting { walks throws(MissingAnswer) in try walks.discover(author) }
    }

    /// The same when every answer is at hand; nil when one has to be waited for.
    public func discoverAtHand(_ author: AuthorIdentity) -> DMARCDiscovery? {
        var walks = WalkStore(resolver: resolver, method: method)
        return try? walks.discover(author)
    }

    /// Walks from a domain that may turn out to vouch, so that the answers are there by then.
    public func lookAhead(from identifier: DomainName) async {
        var walks = WalkStore(resolver: resolver, method: method)
        _ = await walks.waiting { walks throws(MissingAnswer) in try walks.walk(from: identifier) }
    }

    /// Decides whether the author's domain vouches for the message.
    ///
    /// - Parameters:
    ///   - discovery: what the DNS says of the author's domain.
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
        let identifiers = Identifiers(spf: spf, dkim: dkim, spfTemperror: spfTemperror, dkimTemperror: dkimTemperror)
        var walks = WalkStore(resolver: resolver, method: method, known: discovery.domains.map(\.walk))
        return await walks.waiting { walks throws(MissingAnswer) in try walks.evaluate(discovery, identifiers) }
    }

    /// The same when every answer is at hand; nil when one has to be waited for.
    public func evaluateAtHand(
        _ discovery: DMARCDiscovery,
        spf: DomainName?,
        dkim: [DomainName],
        spfTemperror: DomainName? = nil,
        dkimTemperror: [DomainName] = []
    ) -> DMARCOutcome? {
        let identifiers = Identifiers(spf: spf, dkim: dkim, spfTemperror: spfTemperror, dkimTemperror: dkimTemperror)
        var walks = WalkStore(resolver: resolver, method: method, known: discovery.domains.map(\.walk))
        return try? walks.evaluate(discovery, identifiers)
    }
}

/// The domains that mechanisms vouch for, and those of which they do not know.
struct Identifiers: Sendable {
    let spf: DomainName?
    let dkim: [DomainName]
    let spfTemperror: DomainName?
    let dkimTemperror: [DomainName]
}

extension WalkStore {
    /// Finds what the DNS says of the author's domains.
    fileprivate mutating func discover(_ author: AuthorIdentity) throws(MissingAnswer) -> DMARCDiscovery {
        var domains = [DMARCDiscovery.Domain]()
        for domain in author.policyDomains.prefix(DMARCEvaluator.mostAuthorDomains) {
            let walk = try walk(from: domain)
            let organizational = organizationalDomain(of: walk)
            let policy = try policy(by: walk, organizational)
            domains.append(DMARCDiscovery.Domain(walk: walk, organizationalDomain: organizational, policy: policy))
        }
        return DMARCDiscovery(author: author, domains: domains)
    }

    /// DMARC Policy Discovery (RFC 9989 § 4.10.1).
    private func policy(
        by walk: DMARCTreeWalk,
        _ organizational: DomainName?
    ) throws(MissingAnswer) -> DMARCDiscovery.Domain.Policy {
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
        guard let exists = try exists(walk.start) else { return .undetermined(record, of: domain) }
        return .applies(record, of: domain, exists ? policy : policyIfNone)
    }

    /// Decides by the domains that are vouched for.
    fileprivate mutating func evaluate(
        _ discovery: DMARCDiscovery,
        _ identifiers: Identifiers
    ) throws(MissingAnswer) -> DMARCOutcome {
        var outcomes = [DMARCOutcome]()
        for domain in discovery.domains {
            var alignment = Alignment(author: domain)
            try alignment.add(
                .spf,
                passed: identifiers.spf.map { [$0] } ?? [],
                undecided: identifiers.spfTemperror.map { [$0] } ?? [],
                &self
            )
            try alignment.add(.dkim, passed: identifiers.dkim, undecided: identifiers.dkimTemperror, &self)
            outcomes.append(alignment.outcome)
        }
        var outcome = discovery.author.combine(outcomes, limit: DMARCEvaluator.mostAuthorDomains)
        outcome.trace = all
        return outcome
    }
}
