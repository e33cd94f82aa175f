/// A matter that DNS answers decide.
///
/// An inquiry sends nothing and never waits: it makes a pass over the known answers. A pass that misses an answer goes
/// on as far as it can, to learn which other answers it may need. The next pass starts again from the beginning, with
/// more answers. So the outcome depends on every answer that it needs, in the order in which it needs them, however
/// many questions were asked ahead.
public protocol DNSInquiry: Sendable {
    /// The result of the inquiry.
    associatedtype Outcome: Sendable

    /// How many questions may be asked before it is known that their answers are needed.
    var questionsAhead: Int { get }

    /// Makes a pass over the known answers.
    ///
    /// - Returns: the outcome; when an answer is missing, nil or any value.
    func pass(over answers: inout DNSAnswers) -> Outcome?
}

extension DNSInquiry {
    /// No limit: all questions that a pass names.
    public var questionsAhead: Int { .max }
}

extension DNSResolving {
    /// The outcome when every answer is at hand; nil when an answer has to be waited for.
    @inlinable
    public func outcomeAtHand<Inquiry: DNSInquiry>(of inquiry: Inquiry) -> Inquiry.Outcome? {
        var answers = DNSAnswers(atHand: self)
        return answers.outcome(of: inquiry)
    }

    /// The outcome, once the answers that it needs have come.
    @inlinable
    public func outcome<Inquiry: DNSInquiry>(of inquiry: Inquiry) async -> Inquiry.Outcome {
        var answers = DNSAnswers(atHand: self)
        // When every answer is at hand, no task is started and nothing waits.
        if let outcome = answers.outcome(of: inquiry) { return outcome }
        return await outcome(of: inquiry, answers)
    }

    /// Waits for the answers that a pass has missed.
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

    /// Asks the missing questions, and makes another pass after each answer that leads further.
    private func outcome<Inquiry: DNSInquiry>(
        of inquiry: Inquiry,
        _ known: DNSAnswers,
        _ replies: ReplyQueue
    ) async -> Inquiry.Outcome {
        var answers = known
        var started: Set<DNSQuestion> = []
        var ahead = 0
        while true {
            // A needed question is always asked; a question that may be needed is asked as long as the bound allows.
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
