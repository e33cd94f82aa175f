internal import NIOCore

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
    /// Where the questions go.
    var server: NameServer { get }
    /// Whether messages of any size pass, in order: a reply there is not truncated, and no question gets lost.
    var isStream: Bool { get }
    /// Questions in the air, by their identifiers.
    var pending: [UInt16: Attempt] { get set }
    /// Whether a question here was not answered in time; a stream then carries no other.
    var isSlow: Bool { get set }
    /// Sends a question.
    func send(_ attempt: Attempt)
    /// A question has left.
    func attemptEnded()
}

/// What a carrier tells of its questions; lives on the same event loop.
protocol AttemptOwner: AnyObject {
    /// The loop of all of its carriers.
    var loop: any EventLoop { get }
    /// How long a connection stays open without a question.
    var idleTimeout: TimeAmount { get }
    /// A message answers a question.
    func received(_ message: [UInt8], for attempt: Attempt, overTCP: Bool)
    /// A message came that answers nothing we asked there.
    func droppedMessage()
    /// The port of the server is closed.
    func unreachable(_ attempt: Attempt)
    /// This host has no socket left to ask by.
    func lackedRoom(_ attempt: Attempt)
    /// The connection of an attempt has gone; `wasReused` when it had served another question before.
    func disconnected(_ attempt: Attempt, wasReused: Bool)
    /// A carrier is closed.
    func closed(_ carrier: any AttemptCarrier)
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
