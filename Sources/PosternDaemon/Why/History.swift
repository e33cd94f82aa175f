internal import DequeModule
internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import Synchronization

/// A verdict with all that it rests on.
struct RememberedMessage: Sendable {
    /// When it was judged.
    let time: UnixTime
    /// What SMTP, the checks and the rules said, and what the DNS answered.
    let judgement: Judgement
    /// The rest of its log line.
    let delivery: Delivery
    /// The header fields that Sender ID and DMARC look at.
    let headers: HeaderBlock
    /// The name under which it was reported.
    let authservID: Octets
    /// About how many octets it takes.
    let cost: Int
}

/// The last verdicts other than a clean pass, for as long as there is room.
final class History: Sendable {
    private struct State {
        var capacity: Int
        var messages: Deque<RememberedMessage> = []
        var cost = 0
    }

    /// How many octets all messages may take, about; mail and its DNS choose how many one takes.
    static let maximumOctets = 32 << 20

    /// A message that takes more is not remembered.
    static let maximumMessageOctets = 1 << 20

    private let state: Mutex<State>

    /// A history of this many messages.
    init(capacity: Int) {
        state = Mutex(State(capacity: capacity))
    }

    /// Changes how many messages are remembered; fewer forgets the oldest.
    func resize(to capacity: Int) {
        state.withLock { state in
            state.capacity = capacity
            Self.shrink(&state)
        }
    }

    /// How many messages are remembered now.
    var count: Int { state.withLock { $0.messages.count } }

    /// Remembers a message, and forgets the oldest for it.
    func remember(_ message: RememberedMessage) {
        guard message.cost <= Self.maximumMessageOctets else { return }
        state.withLock { state in
            state.messages.append(message)
            state.cost += message.cost
            Self.shrink(&state)
        }
    }

    private static func shrink(_ state: inout State) {
        while state.messages.count > state.capacity || state.cost > maximumOctets {
            guard let oldest = state.messages.popFirst() else { return }
            state.cost -= oldest.cost
        }
    }

    /// The messages with this queue ID, the latest first.
    func messages(queueID: [UInt8]) -> [RememberedMessage] {
        state.withLock { state in
            state.messages.filter { ($0.delivery.queueID ?? LogLine.noQueueID) == queueID }.reversed()
        }
    }
}

extension Judgement {
    /// Whether there is nothing about the message that anybody would ask about.
    var isCleanPass: Bool {
        verdict.rule == nil && verdict.would == nil && verdict.observed.isEmpty && verdict.mixture == nil
            && verdict.undecided.isEmpty
            && removedFields.isEmpty && summary.isClean
    }
}

extension HeaderBlock {
    /// The fields that tell who sent a message, as far as there is room for them.
    ///
    /// RFC 4407 § 2 looks at these and at where Received and Return-Path stand among them.
    var ofSenders: HeaderBlock {
        let names: [StaticString] = ["From", "Sender", "Resent-From", "Resent-Sender", "Received", "Return-Path"]
        var fields = HeaderBlock()
        for field in self where names.contains(where: { field.isNamed($0) }) {
            // Of the trace fields, only where they stand counts.
            let isTrace = field.isNamed("Received") || field.isNamed("Return-Path")
            guard fields.octetCount + field.value.count <= 16_384, fields.count < 100 else { break }
            fields.append(name: field.name, value: isTrace ? Octets() : field.value)
        }
        return fields
    }
}
