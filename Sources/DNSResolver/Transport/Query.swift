internal import DNSLookup
internal import NIOCore

/// What a transport says about a question in the end.
struct QueryOutcome: Sendable {
    let result: Result<DNSAnswer, DNSLookupError>
    /// The name asked about does not exist, whatever the type.
    var deniesName = false
}

/// Asks servers.
protocol QueryTransport: Sendable {
    /// Asks a question; `completion` is called once, on any thread, unless the query is cancelled before.
    func start(_ question: DNSQuestion, completion: @escaping @Sendable (QueryOutcome) -> Void) -> QueryHandle
    /// Stops caring about a question.
    func cancel(_ handle: QueryHandle)
}

/// Names a query that is out.
struct QueryHandle: Hashable, Sendable {
    /// Which of the transport's loops runs it.
    let loop: Int
    let number: UInt64
}

/// A question that is out; lives on one event loop.
final class Query {
    let number: UInt64
    let question: DNSQuestion
    let deadline: NIODeadline
    let completion: @Sendable (QueryOutcome) -> Void
    var plan: QueryPlan?
    /// Every sending that may still be answered.
    var attempts: [Attempt] = []
    var timer: Scheduled<Void>?

    init(
        number: UInt64,
        question: DNSQuestion,
        deadline: NIODeadline,
        completion: @escaping @Sendable (QueryOutcome) -> Void
    ) {
        self.number = number
        self.question = question
        self.deadline = deadline
        self.completion = completion
    }
}

/// One sending of a question to one server; lives on the query's loop.
final class Attempt {
    let query: Query
    let server: NameServer
    let message: QueryMessage
    let sent: NIODeadline
    /// Later than this the server counts as slow.
    let inTime: NIODeadline
    /// The socket or connection that carries it, which forgets it on demand.
    var carrier: (any AttemptCarrier)?

    init(
        query: Query,
        server: NameServer,
        message: QueryMessage,
        sent: NIODeadline,
        inTime: NIODeadline
    ) {
        self.query = query
        self.server = server
        self.message = message
        self.sent = sent
        self.inTime = inTime
    }
}

/// A socket or connection with questions on it.
protocol AttemptCarrier: AnyObject {
    /// Questions in the air, by their identifiers.
    var pending: [UInt16: Attempt] { get set }
    /// A question has left.
    func attemptEnded()
}

extension AttemptCarrier {
    /// An identifier that nobody can guess and no other question here uses.
    ///
    /// RFC 5452 § 9.2: identifiers are to be unpredictable, over their whole range.
    func freeIdentifier() -> UInt16? {
        guard pending.count < 4096 else { return nil }
        var generator = SystemRandomNumberGenerator()
        while true {
            let identifier = UInt16.random(in: .min ... .max, using: &generator)
            if pending[identifier] == nil { return identifier }
        }
    }

    /// Finds the question that a message answers, and takes it off.
    func take(_ message: [UInt8]) -> Attempt? {
        guard message.count >= MessageHeader.size else { return nil }
        let identifier = UInt16(message[0]) << 8 | UInt16(message[1])
        guard let attempt = pending[identifier], attempt.message.isAnswered(by: message) else { return nil }
        pending[identifier] = nil
        attempt.carrier = nil
        return attempt
    }

    /// Takes a question off that is not waited for any more.
    func forget(_ attempt: Attempt) {
        pending[attempt.message.identifier] = nil
        attempt.carrier = nil
        attemptEnded()
    }

    /// Takes all questions off.
    func takeAll() -> [Attempt] {
        defer { pending = [:] }
        return pending.values.map { attempt in
            attempt.carrier = nil
            return attempt
        }
    }
}
