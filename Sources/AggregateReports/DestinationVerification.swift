internal import DMARC
public import DNSLookup
public import MailSyntax

/// Whether a destination wants the reports of a domain (RFC 9990 § 4).
public enum DestinationOutcome: Hashable, Sendable {
    /// It belongs to the organization of the policy's domain.
    case own
    /// It has agreed, and gets the report at this address: the destination, or the one that its host names instead.
    case verified(ReportDestination)
    /// It has not agreed, for this reason.
    case refused(String)
    /// The DNS gave no answer: not now.
    case undecided
}

/// Asks whether a destination wants the reports of a domain (RFC 9990 § 4), so that nobody can have a stranger flooded.
public struct DestinationVerification: DNSInquiry {
    private let domain: DomainName
    private let destination: ReportDestination

    /// Asks about a destination.
    ///
    /// - Parameters:
    ///   - domain: the domain of the policy.
    ///   - destination: a member of its `rua`.
    public init(of domain: DomainName, _ destination: ReportDestination) {
        self.domain = domain
        self.destination = destination
    }

    /// Compares the Organizational Domains, and asks the host of the destination if they differ.
    public func pass(over answers: inout DNSAnswers) -> DestinationOutcome? {
        switch isOwn(&answers) {
        case .yes: .own
        case .unknown: .undecided
        case .missing: nil
        case .no: permission(&answers)
        }
    }

    private enum Answer {
        case yes, no, unknown
        case missing
    }

    private func isOwn(_ answers: inout DNSAnswers) -> Answer {
        if destination.host == domain { return .yes }
        guard let walk = DMARCWalkInquiry(from: domain).pass(over: &answers) else { return .missing }
        guard let organization = walk.knownOrganizationalDomain else { return .unknown }
        // A host outside an organization's domain cannot belong to it; no question is needed for that.
        guard destination.host.isEqualOrSubdomain(of: organization) else { return .no }
        guard let walk = DMARCWalkInquiry(from: destination.host).pass(over: &answers) else { return .missing }
        guard let other = walk.knownOrganizationalDomain else { return .unknown }
        return other == organization ? .yes : .no
    }

    /// RFC 9990 § 4, steps 2 to 9.
    private func permission(_ answers: inout DNSAnswers) -> DestinationOutcome? {
        let host = destination.host
        // 4. "If the length of the constructed name exceed DNS limits, a positive determination [...] cannot be made".
        guard let label = Self.label, let name = try? DomainName(joining: domain, label, host) else {
            return .refused("\(domain)._report._dmarc.\(host) is longer than a name of the DNS")
        }
        guard let reply = answers.reply(to: DNSQuestion(name, .txt)) else { return nil }
        // 5. "If the result of this request is a temporary DNS error [...], the Mail Receiver MAY elect to temporarily
        // fail the delivery so the verification test can be repeated later."
        let answer: DNSAnswer
        switch reply.result {
        case .success(let success): answer = success
        case .failure(let error) where error.isAboutAliases: return .refused("\(name): \(error)")
        case .failure: return .undecided
        }
        // 6. "the "v=DMARC1" tag is mandatory and MUST appear first in the list. Discard any that do not pass this test."
        let records = answer.texts.compactMap { DMARCRecord($0[...]) }
        // 7. "If the result includes no TXT resource records that pass basic parsing, [...] stop."
        guard !records.isEmpty else { return .refused("no record at \(name)") }
        return overriding(records.flatMap(\.aggregateReportURIs))
    }

    private static let label = try? DomainName("_report._dmarc")

    /// 9. "the overriding URI MUST use the same destination host from the first step"; with another host, the report goes
    /// "to [neither] the original or the override URI".
    private func overriding(_ uris: [Octets]) -> DestinationOutcome {
        guard !uris.isEmpty else { return .verified(destination) }
        let others = uris.map { ReportDestination($0.text) }
        guard others.allSatisfy({ $0?.host == destination.host && $0?.isRoute == false }), let first = others.first,
            let first
        else {
            return .refused(
                "the record at \(destination.host) names an address of another host, or none that can be used"
            )
        }
        return .verified(first)
    }
}
