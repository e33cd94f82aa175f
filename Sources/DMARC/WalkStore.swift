internal import DNSLookup
internal import MailSyntax

/// Answers that have to be waited for before more can be said.
struct MissingAnswer: Error {
    /// What is needed, and then what will be unless an answer says otherwise.
    let questions: [DNSQuestion]
}

/// The tree walks for one message; each is made once.
struct WalkStore: Sendable {
    private let resolver: any DNSResolving
    let method: AlignmentMethod
    /// The walks that are over, those for the author's domains first.
    private(set) var all: [DMARCTreeWalk]
    /// What was waited for.
    private var fetched: [(question: DNSQuestion, reply: DNSReply)] = []

    /// A store that knows some walks.
    init(resolver: any DNSResolving, method: AlignmentMethod, known: [DMARCTreeWalk] = []) {
        self.resolver = resolver
        self.method = method
        all = known
    }

    /// Does some work, again with each answer that had to be waited for.
    mutating func waiting<Value>(_ work: (inout WalkStore) throws(MissingAnswer) -> Value) async -> Value {
        while true {
            do throws(MissingAnswer) {
                return try work(&self)
            } catch {
                fetched += await resolver.lookUp(error.questions)
            }
        }
    }

    private func answer(_ question: DNSQuestion) throws(MissingAnswer) -> DNSAnswer? {
        guard let reply = reply(to: question) else { throw MissingAnswer(questions: [question]) }
        return try? reply.result.get()
    }

    private func reply(to question: DNSQuestion) -> DNSReply? {
        let known = fetched.isEmpty ? nil : fetched.first { $0.question == question }?.reply
        return known ?? resolver.answerAtHand(question)
    }

    /// The walk that starts at a domain.
    mutating func walk(from start: DomainName) throws(MissingAnswer) -> DMARCTreeWalk {
        for walk in all where walk.start == start { return walk }
        var walk = DMARCTreeWalk(start: start)
        while let target = walk.next {
            // What earlier walks found is not asked again.
            let step = if let known = knownStep(target) { known } else { try step(target, orAskFor: ahead(of: target)) }
            walk.steps.append(step)
        }
        all.append(walk)
        return walk
    }

    /// What a walk asks after a domain and is not known.
    ///
    /// Hardly a record ends a walk, so that nearly all of them have all of their answers after the time of one.
    private func ahead(of domain: DomainName) -> [DNSQuestion] {
        sequence(first: domain) { DMARCTreeWalk.domain(after: $0) }.dropFirst()
            .filter { knownStep($0) == nil }
            .compactMap(Self.question)
            .filter { reply(to: $0) == nil }
    }

    private func knownStep(_ domain: DomainName) -> DMARCTreeWalk.Step? {
        for walk in all {
            for step in walk.steps where step.domain == domain { return step }
        }
        return nil
    }

    /// The question for a domain's record; nil where a name is too long to have anything below it.
    private static func question(_ domain: DomainName) -> DNSQuestion? {
        (try? domain.child(dmarcLabel)).map { DNSQuestion($0, .txt) }
    }

    /// Looks for the record of one domain; if the answer is missing, so are those of other questions.
    private func step(
        _ domain: DomainName,
        orAskFor others: @autoclosure () -> [DNSQuestion]
    ) throws(MissingAnswer) -> DMARCTreeWalk.Step {
        guard let question = Self.question(domain) else {
            return DMARCTreeWalk.Step(domain: domain, finding: .none, showsExistence: false)
        }
        guard let reply = reply(to: question) else { throw MissingAnswer(questions: [question] + others()) }
        let answer: DNSAnswer
        switch reply.result {
        case .success(let success): answer = success
        case .failure(let error):
            return DMARCTreeWalk.Step(domain: domain, finding: .failed(error), showsExistence: false)
        }
        let finding = answer.derived { DMARCFinding($0) }
        return DMARCTreeWalk.Step(domain: domain, finding: finding, showsExistence: answer.status != .noSuchName)
    }

    /// The Organizational Domain of where a walk started; nil when the DNS does not say.
    func organizationalDomain(of walk: DMARCTreeWalk) -> DomainName? {
        walk.isIncomplete ? nil : walk.organizationalDomain
    }

    /// Whether a domain exists (RFC 9989 § 3.2.13, RFC 8020); nil when nobody says.
    func exists(_ domain: DomainName) throws(MissingAnswer) -> Bool? {
        try answer(DNSQuestion(domain, .a)).map { $0.status != .noSuchName }
    }
}

/// The label of the names that hold DMARC Policy Records (RFC 9989 § 4.5).
private let dmarcLabel = Octets("_dmarc")

extension DMARCFinding {
    /// What a DNS answer for `_dmarc` means; kept beside the answer.
    fileprivate init(_ answer: DNSAnswer) {
        // RFC 9989 § 4.10: records of another kind are discarded first.
        let records = answer.texts.compactMap { DMARCRecord($0[...]) }
        switch records.count {
        case 0: self = .none
        case 1: self = .record(records[0])
        default: self = .several
        }
    }
}
