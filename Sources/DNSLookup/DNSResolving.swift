/// The source of a reply.
public enum DNSSource: String, Hashable, Sendable, CustomStringConvertible {
    /// The answer was in the cache.
    case cache
    /// The answer was in the cache, past its TTL, and was used because no server answers (RFC 8767).
    case stale
    /// A server was asked.
    case server
    /// The question had already been asked for someone else, and the answer was shared.
    case joined
    /// The answer was read from a zone file or a table.
    case zone

    /// The source in a word.
    public var description: String { rawValue }
}

/// The outcome of a lookup.
public struct DNSReply: Sendable {
    /// The answer, or why there is none.
    public let result: Result<DNSAnswer, DNSLookupError>
    /// The source of the reply.
    public let source: DNSSource

    /// A reply with its source.
    public init(_ result: Result<DNSAnswer, DNSLookupError>, source: DNSSource) {
        self.result = result
        self.source = source
    }
}

/// Answers DNS questions.
public protocol DNSResolving: Sendable {
    /// Answers a question from a cache or a server; never traps and always returns.
    ///
    /// Runs on the caller's executor and suspends only to wait for an answer. When the calling task is cancelled, it
    /// soon returns `.cancelled`.
    func lookUp(_ question: DNSQuestion) async -> DNSReply

    /// Answers a question for an asker, so that all askers get a fair share where room is short.
    func lookUp(_ question: DNSQuestion, for asker: (any DNSAsker)?) async -> DNSReply

    /// Answers a question by calling back, at once or later, on any thread.
    ///
    /// No task has to wait then; a task needs much more memory than a waiting question.
    func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> OpenLookup

    /// Answers a question without waiting; nil when a server has to be asked.
    ///
    /// Inquiries try this method first: a message whose answers are all known is judged without a suspension. When it
    /// answers, it is counted and keeps the answer warm like `lookUp`.
    func answerAtHand(_ question: DNSQuestion) -> DNSReply?
}

extension DNSResolving {
    /// Ignores the asker: there is room for all.
    public func lookUp(_ question: DNSQuestion, for asker: (any DNSAsker)?) async -> DNSReply { await lookUp(question) }

    /// Starts a task that waits.
    public func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> OpenLookup {
        let task = Task.immediate { answered(await lookUp(question, for: asker)) }
        return OpenLookup { task.cancel() }
    }

    /// Always nil: nothing is known without asking.
    public func answerAtHand(_ question: DNSQuestion) -> DNSReply? { nil }
}

/// An object whose lookups are counted together, usually a message.
public protocol DNSAsker: AnyObject, Sendable {
    /// The number of questions so far that had to be sent to a server.
    var questionCount: Int { get }

    /// Counts one more question that has to be sent to a server.
    ///
    /// - Returns: the number of such questions before this one.
    func countQuestion() -> Int
}
