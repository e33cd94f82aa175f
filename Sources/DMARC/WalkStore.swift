internal import DNSLookup
internal import MailSyntax

/// An answer is missing that the evaluation has to wait for.
struct MissingAnswer: Error {}

/// The tree walks for one message; each walk is made once.
struct WalkStore: Sendable {
    /// The answers that are known, and those that were missing.
    private(set) var answers: DNSAnswers
    let method: AlignmentMethod
    /// The finished walks, those for the author's domains first.
    private(set) var all: [DMARCTreeWalk]

    /// A store that has some walks from the start.
    init(_ answers: DNSAnswers, method: AlignmentMethod, known: [DMARCTreeWalk] = []) {
        self.answers = answers
        self.method = method
        all = known
    }

    private mutating func reply(to question: DNSQuestion) throws(MissingAnswer) -> DNSReply {
        guard let reply = answers.reply(to: question) else { throw MissingAnswer() }
        return reply
    }

    /// The walk that starts at a domain.
    mutating func walk(from start: DomainName) throws(MissingAnswer) -> DMARCTreeWalk {
        for walk in all where walk.start == start { return walk }
        var walk = DMARCTreeWalk(start: start)
        while let target = walk.next {
            // Queries of earlier walks are not repeated.
            let step = if let known = knownStep(target) { known } else { try step(target) }
            walk.steps.append(step)
        }
        all.append(walk)
        return walk
    }

    /// Asks the questions of a walk that come after a domain.
    ///
    /// Hardly any record ends a walk, so nearly every walk has all its answers in the time of one.
    private mutating func askAhead(of domain: DomainName) {
        for next in sequence(first: domain, next: { DMARCTreeWalk.domain(after: $0) }).dropFirst() {
            guard knownStep(next) == nil, let question = Self.question(next) else { continue }
            _ = answers.reply(to: question)
        }
    }

    private func knownStep(_ domain: DomainName) -> DMARCTreeWalk.Step? {
        for walk in all {
            for step in walk.steps where step.domain == domain { return step }
        }
        return nil
    }

    /// The question for a domain's record; nil when the domain is too long for a name below it.
    private static func question(_ domain: DomainName) -> DNSQuestion? {
        (try? domain.child(dmarcLabel)).map { DNSQuestion($0, .txt) }
    }

    /// Looks up the record of one domain; if its answer is missing, the answers to later questions may be too.
    private mutating func step(_ domain: DomainName) throws(MissingAnswer) -> DMARCTreeWalk.Step {
        guard let question = Self.question(domain) else {
            return DMARCTreeWalk.Step(domain: domain, finding: .none, showsExistence: false)
        }
        let reply: DNSReply
        do throws(MissingAnswer) {
            reply = try self.reply(to: question)
        } catch {
            askAhead(of: domain)
            throw error
        }
        let answer: DNSAnswer
        switch reply.result {
        case .success(let success): answer = success
        case .failure(let error):
            return DMARCTreeWalk.Step(domain: domain, finding: .failed(error), showsExistence: false)
        }
        let finding = answer.derived { DMARCFinding($0) }
        return DMARCTreeWalk.Step(domain: domain, finding: finding, showsExistence: answer.status != .noSuchName)
    }

    /// Whether a domain exists (RFC 9989 § 3.2.13, RFC 8020); nil when no server answers.
    mutating func exists(_ domain: DomainName) throws(MissingAnswer) -> Bool? {
        let reply = try reply(to: DNSQuestion(domain, .a))
        return (try? reply.result.get()).map { $0.status != .noSuchName }
    }
}

/// The label of the names that have DMARC Policy Records (RFC 9989 § 4.5).
private let dmarcLabel = Octets("_dmarc")

extension DMARCFinding {
    /// The meaning of a DNS answer for `_dmarc`; kept with the answer.
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
