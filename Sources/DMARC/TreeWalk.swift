public import DNSLookup
public import MailSyntax

/// The result of the query for one name of a DNS Tree Walk.
public enum DMARCFinding: Hashable, Sendable {
    /// There is no DMARC Policy Record.
    case none
    /// There is more than one record; RFC 9989 § 4.10 discards them all.
    case several
    /// There is one record.
    case record(DMARCRecord)
    /// There is no answer.
    case failed(DNSLookupError)
}

/// A DNS Tree Walk (RFC 9989 § 4.10): the queried names and the results.
public struct DMARCTreeWalk: Hashable, Sendable {
    /// One query.
    public struct Step: Hashable, Sendable {
        /// The domain; the question was for TXT records at `_dmarc` below it.
        public let domain: DomainName
        /// The result of the query.
        public let finding: DMARCFinding
        /// Whether the answer shows that the domain exists, because a name below it does.
        let showsExistence: Bool
    }

    /// The most queries of a walk: only names with fewer labels are walked label by label (RFC 9989 § 4.10, step 4).
    static let maximumQueries = 8

    /// The domain where the walk starts.
    public let start: DomainName
    /// The queries, in their order.
    public internal(set) var steps: [Step] = []

    /// The domain to ask about next; nil when the walk is over: a record has `psd=n` or `psd=y`, an answer is missing,
    /// or no labels remain.
    var next: DomainName? {
        guard let last = steps.last else { return start.wire.isEmpty ? nil : start }
        if case .failed = last.finding { return nil }
        if let flag = last.record?.publicSuffixFlag, flag != .unknown { return nil }
        return Self.domain(after: last.domain)
    }

    /// The next domain of a walk after a domain whose record does not end it; nil when no labels remain.
    static func domain(after domain: DomainName) -> DomainName? {
        let labelCount = domain.labelCount
        // RFC 9989 § 4.10, step 4: from eight labels or more, the next name has seven.
        return labelCount > 1 ? domain.suffix(min(labelCount - 1, maximumQueries - 1)) : nil
    }

    /// The record at the starting point.
    var startRecord: DMARCRecord? { steps.first?.record }

    /// Whether a query was not answered, so that nothing is known about the domains after it.
    var isIncomplete: Bool { failure != nil }

    /// Why a query was not answered.
    var failure: DNSLookupError? {
        if case .failed(let error) = steps.last?.finding { error } else { nil }
    }

    /// The valid record at a name of the walk.
    func record(at domain: DomainName) -> DMARCRecord? {
        steps.first { $0.domain == domain }?.record
    }

    /// The record at the name with the fewest labels.
    var topRecord: (domain: DomainName, record: DMARCRecord)? {
        steps.reversed().lazy.compactMap { step in step.record.map { (step.domain, $0) } }.first
    }

    /// The Organizational Domain of the starting point (RFC 9989 § 4.10.2).
    var organizationalDomain: DomainName {
        // 3. The record at the name with the fewest labels; without any record, the starting point.
        taggedOrganizationalDomain ?? topRecord?.domain ?? start
    }

    /// The Organizational Domain of the starting point; nil when a query was not answered.
    package var knownOrganizationalDomain: DomainName? { isIncomplete ? nil : organizationalDomain }

    /// The Organizational Domain by a `psd` tag; nil when no tag decides.
    var taggedOrganizationalDomain: DomainName? {
        for (index, step) in steps.enumerated() {
            switch step.record?.publicSuffixFlag {
            // 1. psd=n: this is the Organizational Domain.
            case .no: return step.domain
            // 2. psd=y, but not where the walk started: the Organizational Domain is one label below.
            case .yes where index > 0: return start.suffix(step.domain.labelCount + 1)
            case .yes, .unknown, nil: break
            }
        }
        return nil
    }
}

extension DMARCTreeWalk.Step: CustomStringConvertible {
    /// The query and its finding, as in `_dmarc.example.com TXT: p=reject`.
    public var description: String {
        let text =
            switch finding {
            case .none: "no record"
            case .several: "several records"
            case .failed(let error): "no answer: \(error)"
            case .record(let record): record.description
            }
        return "_dmarc.\(domain) TXT: \(text)"
    }
}

extension DMARCTreeWalk.Step {
    /// The record that was found.
    public var record: DMARCRecord? {
        if case .record(let record) = finding { record } else { nil }
    }
}
