internal import DNSLookup
internal import MailSyntax

/// One pass of check_host() over the known answers (RFC 7208 § 4).
///
/// When an answer is missing, the pass goes on as if the term had not matched, to learn which questions come next. The
/// outcome of such a pass is not used (``DNSInquiry``).
struct SPFEvaluation {
    /// An end without a match.
    struct Stop: Error {
        let result: SPFResult
        let problem: SPFProblem
    }

    /// The result of check_host() for one domain, with redirections.
    struct Verdict {
        var result: SPFResult
        var directive: Octets?
        var problem: SPFProblem?
        /// The record that was evaluated last, and its domain: this record may name an explanation.
        var record: SPFRecord?
        var domain: DomainName
    }

    let check: SPFInquiry
    /// The answers that are known, and those that were missing.
    private(set) var answers: DNSAnswers
    private var trace = SPFTrace()
    private var firstRecord: Octets?
    private var current = 0
    private var terms = 0
    private var voids = 0
    /// Whether a lookup of the current term found nothing.
    private var isTermVoid = false
    private var queries = 0
    private var cachedQueries = 0
    /// Whether the term that matched last is a pass for nearly every client.
    private var isOpen = false

    init(_ check: SPFInquiry, _ answers: DNSAnswers) {
        self.check = check
        self.answers = answers
        trace.reserveCapacity()
    }

    var options: SPFOptions { check.options }

    /// Checks the identity.
    mutating func run() -> SPFOutcome {
        // RFC 7208 § 4.3: "If the <domain> is malformed …, check_host() immediately returns the result "none"."
        guard let domain = check.identity.domain else { return outcome(.none, problem: .malformedDomain) }
        do {
            guard let verdict = try checkHost(domain, depth: 0), answers.isComplete else { return outcome(.none) }
            let text = verdict.result == .fail ? explanation(verdict) : nil
            return outcome(verdict.result, verdict.directive, explanation: text, problem: verdict.problem)
        } catch {
            conclude(current, .problem(error.problem))
            return outcome(error.result, problem: error.problem)
        }
    }

    private func outcome(
        _ result: SPFResult,
        _ directive: Octets? = nil,
        explanation: String? = nil,
        problem: SPFProblem? = nil
    ) -> SPFOutcome {
        SPFOutcome(
            result: result,
            scope: check.scope,
            domainName: check.identity.domain,
            record: firstRecord,
            directive: directive,
            isOpen: result == .pass && isOpen,
            explanation: explanation,
            problemCause: problem,
            lookups: terms,
            voidLookups: voids,
            queries: queries,
            cachedQueries: cachedQueries,
            trace: trace
        )
    }

    /// RFC 7208 § 4: check_host(), with the redirections of § 6.1 as a loop; nil when an answer is missing.
    mutating func checkHost(_ name: DomainName, depth: Int) throws(Stop) -> Verdict? {
        var domain = name
        var isRedirected = false
        while true {
            let step = open(.record, domain: domain, depth: depth)
            guard let found = try selectRecord(domain) else { return nil }
            guard case .success(let record) = found else {
                guard case .failure(let none) = found else { return nil }
                // RFC 7208 § 6.1: "If no SPF record is found, or if the <target-name> is malformed, the result is a
                // "permerror" rather than "none"."
                guard !isRedirected else { throw Stop(result: .permerror, problem: none.problem) }
                conclude(step, .problem(none.problem))
                return Verdict(result: .none, problem: none.problem, domain: domain)
            }
            conclude(step, .found)
            if firstRecord == nil { firstRecord = record.text }
            if let directive = try firstMatch(in: record, domain: domain, depth: depth) {
                let result = directive.qualifier.result
                return Verdict(result: result, directive: directive.text, record: record, domain: domain)
            }
            guard let redirect = record.redirect else {
                // RFC 7208 § 4.7: when nothing matches and nothing redirects, the result is "neutral".
                conclude(open(.record, domain: domain, depth: depth), .defaulted)
                return Verdict(result: .neutral, record: record, domain: domain)
            }
            guard let next = try redirected(by: redirect, domain: domain, depth: depth) else { return nil }
            domain = next
            isRedirected = true
        }
    }

    /// The record of a domain, or why it has none (RFC 7208 §§ 4.3 to 4.5); nil when the answer is missing.
    private mutating func selectRecord(_ domain: DomainName) throws(Stop) -> Result<SPFRecord, Stop>? {
        // RFC 7208 § 4.3: a domain that is "not a multi-label domain name" gives "none".
        guard domain.labelCount >= 2 else { return .failure(Stop(result: .none, problem: .malformedDomain)) }
        guard let answer = try record(DNSQuestion(domain, .txt)) else { return nil }
        switch check.selector.select(answer) {
        case .record(let record): return .success(record)
        case .none:
            let exists = answer.status != .noSuchName
            return .failure(Stop(result: .none, problem: exists ? .noRecord(domain) : .noSuchName(domain)))
        case .several: throw Stop(result: .permerror, problem: .severalRecords(domain))
        case .damaged(let error): throw Stop(result: .permerror, problem: .syntax(error, domain))
        }
    }

    /// RFC 7208 § 4.6.2: the first mechanism that matches decides.
    private mutating func firstMatch(
        in record: SPFRecord,
        domain: DomainName,
        depth: Int
    ) throws(Stop) -> SPFDirective? {
        let directives = record.directives
        var index = 0
        while index < directives.count {
            let start = index
            while index < directives.count, case .ip(let network) = directives[index].mechanism,
                !network.contains(check.client)
            {
                index += 1
            }
            guard index == start else {
                conclude(open(.addresses(record, start..<index), domain: domain, depth: depth), .noMatch)
                continue
            }
            let directive = directives[index]
            let step = open(.term(directive.text), domain: domain, depth: depth)
            let isMatch = try matches(directive.mechanism, step: step, domain: domain, depth: depth)
            try countVoidTerm(isMatch: isMatch)
            if isMatch {
                conclude(step, .match(directive.qualifier.result))
                isOpen = directive.isOpen(for: check.client, includesOpen: isOpen)
                return directive
            }
            if isUnfinished(step) { conclude(step, .noMatch) }
            index += 1
        }
        guard !record.isTruncated else { throw tooManyTerms }
        return nil
    }

    /// RFC 7208 § 6.1: the domain to continue with; nil when an answer is missing.
    private mutating func redirected(
        by redirect: SPFModifier,
        domain: DomainName,
        depth: Int
    ) throws(Stop) -> DomainName? {
        let step = open(.term(redirect.text), domain: domain, depth: depth)
        try countTerm()
        let target = try target(of: redirect.domain, domain: domain)
        try countVoidTerm()
        switch target {
        case .missing: return nil
        case .malformed(let problem): throw Stop(result: .permerror, problem: problem)
        case .name(let name):
            conclude(step, .redirected)
            return name
        }
    }
}

// MARK: Lookups, counts and the trace

extension SPFEvaluation {
    /// Counts a term that queries the DNS.
    mutating func countTerm() throws(Stop) {
        // RFC 7208 § 4.6.4: at most ten terms with lookups, "else … "permerror""; the terms of included and redirected
        // records count too.
        guard terms < options.terms else { throw tooManyTerms }
        terms += 1
        if trace.steps.indices.contains(current) { trace.steps[current].termCount = terms }
    }

    private var tooManyTerms: Stop { Stop(result: .permerror, problem: .tooManyTerms(limit: options.terms)) }

    /// The answer to a term's question; nil when it is missing.
    ///
    /// An answer without records makes the term void.
    ///
    /// A DNS error ends the evaluation.
    mutating func lookUp(_ question: DNSQuestion, holding test: DNSAddressTest? = nil) throws(Stop) -> DNSAnswer? {
        guard let answer = try record(question, holding: test) else { return nil }
        noteVoid(answer)
        return answer
    }

    /// The answer to a question; nil when it is missing.
    ///
    /// An answer without records is not counted.
    private mutating func record(_ question: DNSQuestion, holding test: DNSAddressTest? = nil) throws(Stop)
        -> DNSAnswer?
    {
        guard let reply = try reply(to: question, holding: test) else { return nil }
        switch reply.result {
        // RFC 7208 §§ 4.4 and 5: a DNS error or a timeout gives "temperror".
        case .failure(let error): throw Stop(result: .temperror, problem: .lookup(question, error))
        case .success(let answer): return answer
        }
    }

    /// Notes whether an answer makes the current term void.
    mutating func noteVoid(_ answer: DNSAnswer) {
        if answer.status != .records { isTermVoid = true }
    }

    /// Counts the current term if one of its lookups found nothing, and prepares for the next term.
    ///
    /// RFC 7208 § 4.6.4: "it is useful to limit the number of "terms" for which DNS queries return either a positive answer
    /// (RCODE 0) with an answer count of 0, or a "Name Error" (RCODE 3) answer. … SPF implementations SHOULD limit "void
    /// lookups" to two. … Exceeding the limit produces a "permerror" result."
    ///
    /// So an "mx" whose hosts lack the client's kind of address is one void term, however many hosts it has. A term
    /// that matches is not void: otherwise the result would depend on the order in which its hosts are asked.
    mutating func countVoidTerm(isMatch: Bool = false) throws(Stop) {
        defer { isTermVoid = false }
        guard isTermVoid, !isMatch else { return }
        voids += 1
        if voids > options.maximumVoidLookups {
            throw Stop(result: .permerror, problem: .tooManyVoidLookups(limit: options.maximumVoidLookups))
        }
    }

    /// The reply to a question, noted in the trace; nil when it is missing.
    ///
    /// - Parameter test: which addresses of the reply matter; nil when any reply may change the course.
    mutating func reply(to question: DNSQuestion, holding test: DNSAddressTest? = nil) throws(Stop) -> DNSReply? {
        queries += 1
        guard queries <= options.maximumQueries else {
            throw Stop(result: .permerror, problem: .tooManyQueries(limit: options.maximumQueries))
        }
        guard let reply = answers.reply(to: question, holding: test) else { return nil }
        if reply.source == .cache || reply.source == .stale { cachedQueries += 1 }
        trace.note(question, reply, step: current)
        return reply
    }

    mutating func open(_ subject: SPFTraceStep.Subject, domain: DomainName, depth: Int) -> Int {
        current = trace.steps.count
        trace.steps.append(
            SPFTraceStep(subject, domain: domain, depth: depth, termCount: terms, voidLookupCount: voids)
        )
        return current
    }

    /// Makes lookups belong to an earlier step again.
    mutating func resume(_ step: Int) {
        current = step
    }

    mutating func conclude(_ step: Int, _ conclusion: SPFTraceStep.Conclusion) {
        guard trace.steps.indices.contains(step) else { return }
        current = step
        trace.steps[step].conclusion = conclusion
        trace.steps[step].voidLookupCount = voids
    }

    private func isUnfinished(_ step: Int) -> Bool {
        if case .unfinished = trace.steps[step].conclusion { true } else { false }
    }
}
