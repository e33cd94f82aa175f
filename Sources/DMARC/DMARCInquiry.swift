public import DNSLookup
public import MailSyntax

/// Whether the author's domain vouches for a message (RFC 9989 § 5), after its policy is known.
public struct DMARCInquiry: DNSInquiry {
    /// Of how many domains that vouch it is found out whether they are aligned.
    public static let maximumIdentifiers = 32

    private let discovery: DMARCDiscovery
    private let identifiers: DMARCIdentifiers
    private let alignment: AlignmentMethod

    /// Asks who of those that vouch is aligned with the author.
    ///
    /// - Parameters:
    ///   - discovery: what the DNS says of the author's domains.
    ///   - identifiers: the domains that SPF and DKIM vouch for.
    ///   - alignment: how it is found out whether two domains have one Organizational Domain.
    public init(_ discovery: DMARCDiscovery, _ identifiers: DMARCIdentifiers, alignment: AlignmentMethod = .walk) {
        self.discovery = discovery
        self.identifiers = identifiers
        self.alignment = alignment
    }

    /// Decides by the domains that are vouched for.
    public func pass(over answers: inout DNSAnswers) -> DMARCOutcome? {
        var walks = WalkStore(answers, method: alignment, known: discovery.domains.map(\.walk))
        defer { answers = walks.answers }
        return try? walks.evaluate(discovery, identifiers)
    }
}

/// The domains that SPF and DKIM vouch for, and those of which they do not know.
public struct DMARCIdentifiers: Sendable {
    /// The domain of MAIL FROM, when SPF passed for it.
    ///
    /// RFC 9989 § 4.4.2: never that of HELO, but for the null sender, whose MAIL FROM identity RFC 7208 § 2.4 takes from HELO.
    public var spf: DomainName?
    /// The `d=` of each signature that passed.
    public var dkim: [DomainName]
    /// The domain of MAIL FROM, when SPF had a temporary error.
    public var spfTemperror: DomainName?
    /// The `d=` of each signature that had one.
    public var dkimTemperror: [DomainName]

    /// Puts the domains together.
    public init(
        spf: DomainName? = nil,
        dkim: [DomainName] = [],
        spfTemperror: DomainName? = nil,
        dkimTemperror: [DomainName] = []
    ) {
        self.spf = spf
        self.dkim = dkim
        self.spfTemperror = spfTemperror
        self.dkimTemperror = dkimTemperror
    }
}

extension WalkStore {
    fileprivate mutating func evaluate(
        _ discovery: DMARCDiscovery,
        _ identifiers: DMARCIdentifiers
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
        var outcome = discovery.author.combine(outcomes, limit: DMARCPolicyInquiry.maximumAuthorDomains)
        outcome.trace = all
        return outcome
    }
}
