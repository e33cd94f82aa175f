public import DNSLookup
public import MailSyntax

/// Asks whether any of some domains has the same Organizational Domain as another (RFC 9989 § 4.10.2).
public struct OrganizationInquiry: DNSInquiry {
    /// The answer.
    public enum Answer: Sendable {
        /// One of them has.
        case yes
        /// None of them has.
        case no
        /// Some may have; the DNS gave no answer.
        case unanswered
    }

    private let domain: DomainName
    private let candidates: [DomainName]
    private let alignment: AlignmentMethod

    /// Asks about a domain.
    ///
    /// - Parameters:
    ///   - domain: the domain.
    ///   - candidates: the domains that may be of the same organization; at most `DMARCInquiry.maximumIdentifiers` count.
    ///   - alignment: the way to find out whether two domains have the same Organizational Domain.
    public init(of domain: DomainName, among candidates: [DomainName], alignment: AlignmentMethod) {
        self.domain = domain
        self.candidates = Array(candidates.prefix(DMARCInquiry.maximumIdentifiers))
        self.alignment = alignment
    }

    /// Makes the walks.
    public func pass(over answers: inout DNSAnswers) -> Answer? {
        var walks = WalkStore(answers, method: alignment)
        defer { answers = walks.answers }
        return try? walks.isOrganization(of: domain, among: candidates)
    }
}

extension WalkStore {
    fileprivate mutating func isOrganization(
        of domain: DomainName,
        among candidates: [DomainName]
    ) throws(MissingAnswer) -> OrganizationInquiry.Answer {
        let own = try walk(from: domain)
        guard let organization = own.knownOrganizationalDomain else { return .unanswered }
        var isOpen = false
        for candidate in candidates {
            let isByList = own.taggedOrganizationalDomain == nil && isOne(candidate, domain)
            guard isByList || candidate.isEqualOrSubdomain(of: organization) else { continue }
            let walk = try walk(from: candidate)
            guard let other = walk.knownOrganizationalDomain else {
                isOpen = true
                continue
            }
            if other == organization || isByList && walk.taggedOrganizationalDomain == nil { return .yes }
        }
        return isOpen ? .unanswered : .no
    }

    /// Whether the public suffix list, where it counts, puts both into one organization.
    private func isOne(_ one: DomainName, _ other: DomainName) -> Bool {
        if case .walkOrList(let list) = method { list.isOneOrganization(one, other) } else { false }
    }
}
