/// Where a reply came from.
public enum DNSSource: Hashable, Sendable {
    /// Known already.
    case cache
    /// Known, beyond its TTL, and used because no server answers (RFC 8767).
    case stale
    /// Asked of a server.
    case server
    /// Waited for with somebody who was already asking.
    case joined
    /// Read from a zone file or a table.
    case zone
}

/// The outcome of a lookup.
public struct DNSReply: Sendable {
    /// The answer, or why there is none.
    public let result: Result<DNSAnswer, DNSLookupError>
    /// Where it came from.
    public let source: DNSSource

    /// A reply with its source.
    public init(_ result: Result<DNSAnswer, DNSLookupError>, source: DNSSource) {
        self.result = result
        self.source = source
    }
}

/// Answers questions by the DNS.
public protocol DNSResolving: Sendable {
    /// Answers a question, from a cache or a server; never traps and always ends.
    ///
    /// Runs on the caller's executor and suspends only when the answer has to be waited for. When the calling task is
    /// cancelled it returns soon, with `.cancelled`.
    func lookUp(_ question: DNSQuestion) async -> DNSReply

    /// Answers a question for somebody, so that where room is short all who ask get their share.
    func lookUp(_ question: DNSQuestion, for asker: (any DNSAsker)?) async -> DNSReply

    /// Answers a question by a call, at once or later, on any thread: to wait takes no task then, which is much larger than
    /// what is kept of a question.
    ///
    func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> OpenLookup

    /// Answers a question that needs no waiting; nil when somebody has to be asked.
    ///
    /// Inquiries try this first: a message whose answers are all known is judged without a suspension. It is a lookup
    /// like the other as far as counting and keeping the answer warm go, when it answers.
    func answerAtHand(_ question: DNSQuestion) -> DNSReply?
}

extension DNSResolving {
    /// Has room for everybody.
    public func lookUp(_ question: DNSQuestion, for asker: (any DNSAsker)?) async -> DNSReply { await lookUp(question) }

    /// Has a task wait.
    public func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> OpenLookup {
        let task = Task.immediate { answered(await lookUp(question, for: asker)) }
        return OpenLookup { task.cancel() }
    }

    /// Knows nothing without asking.
    public func answerAtHand(_ question: DNSQuestion) -> DNSReply? { nil }
}

/// Somebody whose lookups are counted together, a message most often.
public protocol DNSAsker: AnyObject, Sendable {
    /// How many questions had to be sent to a server so far.
    var questionCount: Int { get }

    /// Counts one more question that has to be sent to a server.
    ///
    /// - Returns: how many there have been before.
    func countQuestion() -> Int
}
