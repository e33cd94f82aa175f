public import DNSLookup
public import MailSyntax

/// Checks whether a client may send mail for a domain (RFC 7208).
public struct SPFEvaluator<Resolver: DNSResolving>: Sendable {
    private let resolver: Resolver
    private let options: SPFOptions

    /// An evaluator that asks `resolver`.
    public init(resolver: Resolver, options: SPFOptions = .init()) {
        self.resolver = resolver
        self.options = options
    }

    /// Checks the MAIL FROM identity (RFC 7208 § 2.4).
    ///
    /// - Parameters:
    ///   - sender: the argument of MAIL FROM; empty or `<>` is the null reverse-path.
    ///   - helo: the argument of HELO or EHLO.
    ///   - clientAddress: the SMTP client's address.
    ///   - now: the time in seconds since 1970, for `%{t}`.
    public func checkMailFrom(
        _ sender: Octets,
        helo: Octets,
        clientAddress: IPAddress,
        now: Int64
    ) async -> SPFOutcome {
        await evaluate(SPFCheck(mailFrom: sender, helo: helo, client: clientAddress, now: now))
    }

    /// The same when every answer is at hand; nil when one has to be waited for.
    public func checkMailFromAtHand(
        _ sender: Octets,
        helo: Octets,
        clientAddress: IPAddress,
        now: Int64
    ) -> SPFOutcome? {
        evaluateAtHand(SPFCheck(mailFrom: sender, helo: helo, client: clientAddress, now: now))
    }

    /// Checks the HELO identity (RFC 7208 § 2.3).
    public func checkHELO(_ helo: Octets, clientAddress: IPAddress, now: Int64) async -> SPFOutcome {
        await evaluate(SPFCheck(helo: helo, client: clientAddress, now: now))
    }

    /// The same when every answer is at hand; nil when one has to be waited for.
    public func checkHELOAtHand(_ helo: Octets, clientAddress: IPAddress, now: Int64) -> SPFOutcome? {
        evaluateAtHand(SPFCheck(helo: helo, client: clientAddress, now: now))
    }

    /// Checks any identity, with the records that its selector chooses.
    package func evaluate(_ check: SPFCheck) async -> SPFOutcome {
        var evaluation = SPFEvaluation(check, options: options, resolver: resolver, fetched: [:])
        let outcome = evaluation.run()
        // When every answer is at hand, nothing is started and nothing waits.
        if evaluation.missing.isEmpty { return outcome }
        return await evaluate(check, missing: evaluation.missing)
    }

    /// The outcome when every answer is at hand; nil when one has to be waited for.
    package func evaluateAtHand(_ check: consuming SPFCheck) -> SPFOutcome? {
        var evaluation = SPFEvaluation(check, options: options, resolver: resolver, fetched: [:])
        let outcome = evaluation.run()
        return evaluation.missing.isEmpty ? outcome : nil
    }

    /// Fetches what is missing, and evaluates again with each answer that leads further.
    private func evaluate(_ check: SPFCheck, missing: [SPFOpenQuestion]) async -> SPFOutcome {
        await withTaskGroup(of: (DNSQuestion, DNSReply).self) { group in
            var open = SPFOpenQuestions(missing)
            var outcome: SPFOutcome
            var started: Set<DNSQuestion> = []
            var fetched: [DNSQuestion: DNSReply] = [:]
            var ahead = 0
            repeat {
                // A question that is alone, as the first one of every check is, needs no task of its own.
                if group.isEmpty, open.questions.count == 1, let question = open.needed {
                    started.insert(question)
                    fetched[question] = await resolver.lookUp(question)
                }
                // What is needed is asked in any case; what may be needed, as long as the bound allows.
                for question in open.questions.lazy.map(\.question) where !started.contains(question) {
                    guard question == open.needed || ahead < options.queriesAhead else { continue }
                    if question != open.needed { ahead += 1 }
                    started.insert(question)
                    group.addTask { [resolver] in (question, await resolver.lookUp(question)) }
                }
                while let (question, reply) = await group.next() {
                    fetched[question] = reply
                    if open.take(question, fetched) { break }
                    if let needed = open.needed, started.insert(needed).inserted {
                        group.addTask { [resolver] in (needed, await resolver.lookUp(needed)) }
                    }
                }
                var evaluation = SPFEvaluation(check, options: options, resolver: resolver, fetched: fetched)
                outcome = evaluation.run()
                open = SPFOpenQuestions(evaluation.missing)
            } while !open.questions.isEmpty
            group.cancelAll()
            return outcome
        }
    }
}

extension SPFCheck {
    fileprivate init(mailFrom sender: Octets, helo: Octets, client: IPAddress, now: Int64) {
        let identity = SPFIdentity(mailFrom: sender, helo: helo).ofHost()
        self.init(identity, scope: .mfrom, helo: helo, client: client, now: now, selector: SPFVersion1())
    }

    fileprivate init(helo: Octets, client: IPAddress, now: Int64) {
        let identity = SPFIdentity(helo: helo).ofHost()
        self.init(identity, scope: .helo, helo: helo, client: client, now: now, selector: SPFVersion1())
    }
}
