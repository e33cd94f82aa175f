internal import NIOCore

/// One attempt to get an answer from one server; lives on the query's loop.
final class Attempt {
    let query: Query
    let server: NameServer
    let message: QueryMessage
    let sent: NIODeadline
    /// After this time the server counts as slow.
    let inTime: NIODeadline
    /// The socket or connection that carries the attempt; it can forget the attempt.
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

/// A socket or connection that carries questions.
protocol AttemptCarrier: AnyObject {
    /// The server that gets the questions.
    var server: NameServer { get }
    /// Whether messages of any size arrive in order: replies are not truncated, and no question gets lost.
    var isStream: Bool { get }
    /// The unanswered questions, by their identifiers.
    var pending: [UInt16: Attempt] { get set }
    /// Whether a question here was not answered in time; a stream then carries no further questions.
    var isSlow: Bool { get set }
    /// Sends a question.
    func send(_ attempt: Attempt)
    /// Notes that a question has ended.
    func attemptEnded()
}

/// Receives the events of a carrier; lives on the same event loop.
protocol AttemptOwner: AnyObject {
    /// The loop of all of its carriers.
    var loop: any EventLoop { get }
    /// How long a connection without questions stays open.
    var idleTimeout: TimeAmount { get }
    /// A message answered a question.
    func received(_ message: [UInt8], for attempt: Attempt, overTCP: Bool)
    /// A message came that does not answer a question of this carrier.
    func droppedMessage()
    /// The server's port is closed.
    func unreachable(_ attempt: Attempt)
    /// This host has no socket left for the question.
    func lackedRoom(_ attempt: Attempt)
    /// The connection of an attempt was closed; `wasReused` if it had served another question before.
    func disconnected(_ attempt: Attempt, wasReused: Bool)
    /// A carrier was closed.
    func closed(_ carrier: any AttemptCarrier)
}

extension AttemptCarrier {
    /// An identifier that nobody can guess and that no other question here uses.
    ///
    /// RFC 5452 § 9.2: identifiers must be unpredictable, over their whole range.
    func freeIdentifier() -> UInt16? {
        guard pending.count < 4096 else { return nil }
        var generator = SystemRandomNumberGenerator()
        while true {
            let identifier = UInt16.random(in: .min ... .max, using: &generator)
            if pending[identifier] == nil { return identifier }
        }
    }

    /// Finds the question that a message answers, and removes it.
    func take(_ message: [UInt8]) -> Attempt? {
        guard message.count >= MessageHeader.size else { return nil }
        let identifier = UInt16(message[0]) << 8 | UInt16(message[1])
        guard let attempt = pending[identifier], attempt.message.isAnswered(by: message) else { return nil }
        pending[identifier] = nil
        attempt.carrier = nil
        return attempt
    }

    /// Removes a question that is no longer wanted.
    func forget(_ attempt: Attempt) {
        pending[attempt.message.identifier] = nil
        attempt.carrier = nil
        attemptEnded()
    }

    /// Removes all questions.
    func takeAll() -> [Attempt] {
        defer { pending = [:] }
        return pending.values.map { attempt in
            attempt.carrier = nil
            return attempt
        }
    }
}
