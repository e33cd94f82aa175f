import NIOCore
import Synchronization

/// What is to be sent, and by when: shared by all clients.
final class Work: Sendable {
    /// One message to send.
    struct Item {
        let number: Int
        let message: Message
        /// When it ought to begin; nil for "as soon as a client is free".
        let due: NIODeadline?
    }

    let messages: [Message]
    let messagesPerConnection: Int
    private let start = NIODeadline.now()
    private let total: Int
    private let deadline: NIODeadline
    private let rate: Double?
    private let seconds: Double?
    /// Is told when each message begins and ends.
    let trace: (@Sendable (String) -> Void)?
    private let next = Atomic<Int>(0)

    init(
        _ messages: [Message],
        total: Int?,
        seconds: Double?,
        rate: Double?,
        messagesPerConnection: Int,
        trace: (@Sendable (String) -> Void)?
    ) {
        self.messages = messages
        self.messagesPerConnection = messagesPerConnection
        self.total = total ?? (seconds == nil ? messages.count : .max)
        self.rate = rate
        self.seconds = seconds
        self.trace = trace
        let length = seconds.map { TimeAmount.nanoseconds(Int64($0 * 1e9)) }
        deadline = length.map { [start] in start + $0 } ?? .distantFuture
    }

    /// The next message; nil when the run is over.
    func take() -> Item? {
        guard NIODeadline.now() < deadline else { return nil }
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard number < total else { return nil }
        let due = rate.map { start + .nanoseconds(Int64(Double(number) / $0 * 1e9)) }
        if let due, due >= deadline { return nil }
        return Item(number: number, message: messages[number % messages.count], due: due)
    }

    /// Whether a message that ended now still counts.
    var isInTime: Bool { NIODeadline.now() <= deadline }

    /// When to wait no longer for messages that are under way.
    var giveUpTime: NIODeadline? { deadline == .distantFuture ? nil : deadline + .seconds(3) }

    /// Seconds since the run began; no more than it was to last.
    var elapsed: Double { min(Double((NIODeadline.now() - start).nanoseconds) / 1e9, seconds ?? .infinity) }
}
