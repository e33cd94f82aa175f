internal import DNSLookup
public import MailSyntax

/// What was found at one name of a DNS Tree Walk.
public enum DMARCFinding: Hashable, Sendable {
    /// No DMARC Policy Record.
    case none
    /// More than one, of which RFC 9989 § 4.10 discards all.
    case several
    /// One.
    case record(DMARCRecord)
    /// No answer.
    case failed
}

/// A DNS Tree Walk (RFC 9989 § 4.10): which names were asked about, and what they hold.
public struct DMARCTreeWalk: Hashable, Sendable {
    /// One query.
    public struct Step: Hashable, Sendable {
        /// The domain; the question was for TXT records at `_dmarc` below it.
        public let domain: DomainName
        /// What came back.
        public let finding: DMARCFinding
        /// Whether the answer shows that the domain exists: a name below it does.
        let showsExistence: Bool
    }

    /// The longest name that is walked label by label has one label less (RFC 9989 § 4.10, step 4).
    static let mostQueries = 8

    /// The domain it starts at.
    public let start: DomainName
    /// The queries, in their order.
    public internal(set) var steps: [Step] = []

    /// The record at the starting point.
    var startRecord: DMARCRecord? { steps.first?.record }

    /// Whether a query was not answered, so that nothing beyond it is known.
    var isIncomplete: Bool { steps.last?.finding == .failed }

    /// The valid record at a name of the walk.
    func record(at domain: DomainName) -> DMARCRecord? {
        steps.first { $0.domain == domain }?.record
    }

    /// The record at the name with the fewest labels.
    var topRecord: (domain: DomainName, record: DMARCRecord)? {
        steps.reversed().lazy.compactMap { step in step.record.map { (step.domain, $0) } }.first
    }

    /// The Organizational Domain of the starting point (RFC 9989 § 4.10.2).
    ///
    /// With a public suffix list, the list decides where no record has a `psd` tag that does.
    func organizationalDomain(_ list: PublicSuffixList?) -> DomainName {
        for (index, step) in steps.enumerated() {
            switch step.record?.publicSuffixFlag {
            // 1. psd=n: this is the Organizational Domain.
            case .no: return step.domain
            // 2. psd=y, but not where the walk started: the domain one label below is.
            case .yes where index > 0: return start.suffix(step.domain.labelCount + 1)
            case .yes, .unknown, nil: break
            }
        }
        if startRecord?.publicSuffixFlag != .yes, let domain = list?.registrableDomain(of: start) { return domain }
        // 3. The record at the name with the fewest labels; without any, the starting point.
        return topRecord?.domain ?? start
    }
}

extension DMARCTreeWalk.Step: CustomStringConvertible {
    /// The query and its finding, as in `_dmarc.example.com TXT: p=reject`.
    public var description: String {
        let text =
            switch finding {
            case .none: "no record"
            case .several: "several records"
            case .failed: "no answer"
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

/// The label of the names that hold DMARC Policy Records (RFC 9989 § 4.5).
private let dmarcLabel = Octets("_dmarc")

/// What a DNS answer for `_dmarc` means; kept beside the answer.
private enum RecordSet: Sendable {
    case none, several
    case one(DMARCRecord)

    init(_ answer: DNSAnswer) {
        // RFC 9989 § 4.10: records of another kind are discarded first.
        let records = answer.texts.compactMap { DMARCRecord($0[...]) }
        switch records.count {
        case 0: self = .none
        case 1: self = .one(records[0])
        default: self = .several
        }
    }
}

extension DNSResolving {
    /// Walks up from a domain until a record says `psd=n` or `psd=y`, or no labels remain.
    ///
    /// What earlier walks found is not asked again.
    func walk(from start: DomainName, after known: [DMARCTreeWalk] = []) async -> DMARCTreeWalk {
        var walk = DMARCTreeWalk(start: start)
        var target = start
        while !target.wire.isEmpty {
            let knownStep = known.lazy.flatMap(\.steps).first { $0.domain == target }
            let step = if let knownStep { knownStep } else { await findRecord(of: target) }
            walk.steps.append(step)
            if step.finding == .failed { break }
            if let flag = step.record?.publicSuffixFlag, flag != .unknown { break }
            // RFC 9989 § 4.10, step 4: from eight labels or more, the next name has seven.
            target = target.suffix(min(target.labelCount - 1, DMARCTreeWalk.mostQueries - 1))
        }
        return walk
    }

    /// Looks for the record of one domain.
    private func findRecord(of domain: DomainName) async -> DMARCTreeWalk.Step {
        guard let name = try? domain.child(dmarcLabel) else {
            // A name too long to have anything below it.
            return DMARCTreeWalk.Step(domain: domain, finding: .none, showsExistence: false)
        }
        let question = DNSQuestion(name, .txt)
        let reply = if let reply = answerAtHand(question) { reply } else { await lookUp(question) }
        guard case .success(let answer) = reply.result else {
            return DMARCTreeWalk.Step(domain: domain, finding: .failed, showsExistence: false)
        }
        let finding: DMARCFinding =
            switch answer.derived(RecordSet.init) {
            case .none: .none
            case .several: .several
            case .one(let record): .record(record)
            }
        return DMARCTreeWalk.Step(domain: domain, finding: finding, showsExistence: answer.status != .noSuchName)
    }

    /// Whether a domain exists (RFC 9989 § 3.2.13, RFC 8020); nil when nobody says.
    func exists(_ domain: DomainName) async -> Bool? {
        let question = DNSQuestion(domain, .a)
        let reply = if let reply = answerAtHand(question) { reply } else { await lookUp(question) }
        guard case .success(let answer) = reply.result else { return nil }
        return answer.status != .noSuchName
    }
}
