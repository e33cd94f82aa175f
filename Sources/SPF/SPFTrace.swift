public import DNSLookup
public import MailSyntax

/// The steps of an evaluation, and apart from them its lookups, so that a step allocates no memory for its lookups.
struct SPFTrace: Sendable {
    var steps: [SPFTraceStep] = []
    private var lookups: [SPFTraceStep.Lookup] = []

    /// Reserves capacity for most evaluations.
    mutating func reserveCapacity() {
        steps.reserveCapacity(8)
        lookups.reserveCapacity(4)
    }

    /// Notes a lookup of a step.
    mutating func note(_ question: DNSQuestion, _ reply: DNSReply, step: Int) {
        lookups.append(SPFTraceStep.Lookup(question: question, reply: reply, step: step))
    }

    /// The steps with their lookups.
    var complete: [SPFTraceStep] {
        var steps = steps
        for lookup in lookups where steps.indices.contains(lookup.step) { steps[lookup.step].lookups.append(lookup) }
        return steps
    }
}

/// One step of an evaluation: a record looked for, a term tried, or a run of addresses that did not match.
///
/// Steps hold values; a step makes its text when somebody reads it.
public struct SPFTraceStep: Sendable {
    /// The conclusion of a step.
    public enum Conclusion: Hashable, Sendable {
        /// The step has no conclusion: one of the steps below it ended the evaluation.
        case unfinished
        /// The record is evaluated in the steps below.
        case found
        /// The mechanism matches; its qualifier gives this result.
        case match(SPFResult)
        /// The mechanism does not match.
        case noMatch
        /// Evaluation continues at another domain.
        case redirected
        /// Nothing matched and nothing redirects (RFC 7208 § 4.7).
        case defaulted
        /// The explanation was found.
        case explained
        /// The problem that prevented a result.
        case problem(SPFProblem)
    }

    /// A question that was asked, and the reply.
    public struct Lookup: Sendable {
        /// The question.
        public let question: DNSQuestion
        /// The reply.
        public let reply: DNSReply
        /// The position of the step to which the lookup belongs.
        let step: Int
    }

    /// The number of "include" terms on the way to this step.
    public let depth: Int
    /// The current domain.
    public let domain: DomainName
    /// The terms that were tried, as they were written; empty for the step that looks for a record.
    public var terms: [Octets] {
        switch subject {
        case .record: []
        case .term(let text): [text]
        case .addresses(let record, let range): record.directives[range].map(\.text)
        }
    }
    /// The lookups of the step.
    public fileprivate(set) var lookups: [Lookup] = []
    /// The conclusion of the step.
    public internal(set) var conclusion = Conclusion.unfinished
    /// How many terms with lookups were counted so far, this one included.
    public internal(set) var termCount: Int
    /// How many lookups found nothing so far.
    public internal(set) var voidLookupCount: Int

    /// The subject of a step.
    enum Subject: Sendable {
        case record
        case term(Octets)
        /// Adjacent directives: records list hundreds of addresses, and one step is enough for all that do not match.
        case addresses(SPFRecord, Range<Int>)
    }

    let subject: Subject

    init(_ subject: Subject, domain: DomainName, depth: Int, termCount: Int, voidLookupCount: Int) {
        self.subject = subject
        self.domain = domain
        self.depth = depth
        self.termCount = termCount
        self.voidLookupCount = voidLookupCount
    }
}

extension SPFTraceStep: CustomStringConvertible {
    /// The step as lines of text: the terms that were tried, the conclusion, and below them each lookup.
    public var description: String {
        let indent = String(repeating: "  ", count: depth)
        let subjects = terms.isEmpty ? ["record of \(domain)"] : terms.map { $0.prefix(200).printable }
        let counts = "[terms \(termCount), void \(voidLookupCount)]"
        var text = subjects.map { "\(indent)\($0): \(conclusion) \(counts)" }.joined(separator: "\n")
        for lookup in lookups { text += "\n\(indent)    \(lookup)" }
        return text
    }
}

extension SPFTraceStep.Conclusion: CustomStringConvertible {
    /// A few words for people.
    public var description: String {
        switch self {
        case .unfinished: "ended below"
        case .found: "found"
        case .match(let result): "match, \(result.rawValue)"
        case .noMatch: "no match"
        case .redirected: "redirected"
        case .defaulted: "nothing matched, neutral"
        case .explained: "explained"
        case .problem(let problem): "\(problem)"
        }
    }
}

extension SPFTraceStep.Lookup: CustomStringConvertible {
    /// The question and the reply, shortened if they are long.
    public var description: String {
        switch reply.result {
        case .failure(let error): "\(question): \(error)"
        case .success(let answer):
            switch answer.status {
            case .noSuchName: "\(question): no such name"
            case .noData: "\(question): no data"
            case .records:
                "\(question): " + answer.records.prefix(5).map(\.shortText).joined(separator: ", ")
                    + (answer.records.count > 5 ? ", and \(answer.records.count - 5) more" : "")
            }
        }
    }
}

extension DNSRecord {
    /// The data of the record for people; at most 200 octets of a text.
    fileprivate var shortText: String {
        switch self {
        case .a(let address): "\(address)"
        case .aaaa(let address): "\(address)"
        case .mx(let preference, let exchange): "\(preference) \(exchange)"
        case .ptr(let name): "\(name)"
        case .txt(let text): "\"\(text.prefix(200).printable)\""
        }
    }
}
