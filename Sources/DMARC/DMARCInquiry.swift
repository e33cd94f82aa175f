public import DNSLookup
public import MailSyntax

/// Evaluates DMARC for a message (RFC 9989 § 5), after the policies of the author's domains are known.
public struct DMARCInquiry: DNSInquiry {
    /// The most domains that passed SPF or DKIM whose alignment is examined.
    public static let maximumIdentifiers = 32

    private let discovery: DMARCDiscovery
    private let identifiers: DMARCIdentifiers
    private let alignment: AlignmentMethod

    /// Asks which of the domains that passed are aligned with the author.
    ///
    /// - Parameters:
    ///   - discovery: the DNS data about the author's domains.
    ///   - identifiers: the domains for which SPF and DKIM passed.
    ///   - alignment: the way to find out whether two domains have the same Organizational Domain.
    public init(_ discovery: DMARCDiscovery, _ identifiers: DMARCIdentifiers, alignment: AlignmentMethod = .walk) {
        self.discovery = discovery
        self.identifiers = identifiers
        self.alignment = alignment
    }

    /// Decides by the domains for which SPF or DKIM passed.
    public func pass(over answers: inout DNSAnswers) -> DMARCOutcome? {
        var walks = WalkStore(answers, method: alignment, known: discovery.domains.map(\.walk))
        defer { answers = walks.answers }
        return try? walks.evaluate(discovery, identifiers)
    }
}

/// The domains for which SPF and DKIM passed, and those for which they had a temporary error.
public struct DMARCIdentifiers: Sendable {
    /// The domain of MAIL FROM, if SPF passed for it.
    ///
    /// RFC 9989 § 4.4.2: it is never the HELO domain, except for the null sender: RFC 7208 § 2.4 takes its MAIL FROM
    /// identity from HELO.
    public var spf: DomainName?
    /// The `d=` of each signature that passed.
    public var dkim: [DomainName]
    /// The domain of MAIL FROM, if SPF had a temporary error.
    public var spfTemperror: DomainName?
    /// The `d=` of each signature with a temporary error.
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
