/// A matter that answers of the DNS decide.
///
/// It asks nobody and never waits: it passes over the answers that are known. A pass that misses an answer goes on as far as
/// it can, to learn which other answers it may need; then it is made again from the beginning, with more of them. So its
/// outcome rests on every answer that it needs, in the order in which they are needed, however many were asked for ahead.
public protocol DNSInquiry: Sendable {
    /// What is decided.
    associatedtype Outcome: Sendable

    /// How many questions may be asked before it is known that their answers are needed.
    var questionsAhead: Int { get }

    /// Passes over the known answers.
    ///
    /// - Returns: the outcome; nil, or whatever it likes, when an answer is missing.
    func pass(over answers: inout DNSAnswers) -> Outcome?
}

extension DNSInquiry {
    /// As many as a pass names.
    public var questionsAhead: Int { .max }
}

extension DNSResolving {
    /// The outcome when every answer is at hand; nil when one has to be waited for.
    @inlinable
    public func outcomeAtHand<Inquiry: DNSInquiry>(of inquiry: Inquiry) -> Inquiry.Outcome? {
        var answers = DNSAnswers(atHand: self)
        return answers.outcome(of: inquiry)
    }

    /// The outcome, once the answers that it needs are there.
    @inlinable
    public func outcome<Inquiry: DNSInquiry>(of inquiry: Inquiry) async -> Inquiry.Outcome {
        var answers = DNSAnswers(atHand: self)
        // When every answer is at hand, nothing is started and nothing waits.
        if let outcome = answers.outcome(of: inquiry) { return outcome }
        return await outcome(of: inquiry, answers)
    }

    /// Waits for what a pass has missed.
    @usableFromInline
    func outcome<Inquiry: DNSInquiry>(of inquiry: Inquiry, _ answers: DNSAnswers) async -> Inquiry.Outcome {
        let replies = ReplyQueue()
        return await withTaskCancellationHandler {
            defer { replies.cancel() }
            return await outcome(of: inquiry, answers, replies)
        } onCancel: {
            replies.cancel()
        }
    }

    /// Asks for what is missing, and passes again with each answer that leads further.
    private func outcome<Inquiry: DNSInquiry>(
        of inquiry: Inquiry,
        _ known: DNSAnswers,
        _ replies: ReplyQueue
    ) async -> Inquiry.Outcome {
        var answers = known
        var started: Set<DNSQuestion> = []
        var ahead = 0
        while true {
            // What is needed is asked in any case; what may be needed, as long as the bound allows.
            for question in answers.missing.map(\.question) where !started.contains(question) {
                guard question == answers.needed || ahead < inquiry.questionsAhead else { continue }
                if question != answers.needed { ahead += 1 }
                started.insert(question)
                replies.ask(question, of: self)
            }
            while let (question, reply) = await replies.next() {
                if answers.take(reply, to: question) { break }
                if let needed = answers.needed, started.insert(needed).inserted { replies.ask(needed, of: self) }
            }
            if let outcome = answers.outcome(of: inquiry) { return outcome }
        }
    }
}
