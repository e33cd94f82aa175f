internal import DequeModule
internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import Synchronization

/// A verdict, with all data behind it.
struct RememberedMessage: Sendable {
    /// The time of the judgement.
    let time: UnixTime
    /// The envelope, the results, the decision of the rules, and the answers of the DNS.
    let judgement: Judgement
    /// The other data of its log line.
    let delivery: Delivery
    /// The header fields that Sender ID and DMARC use.
    let headers: HeaderBlock
    /// The authserv-id of its results.
    let authservID: Octets
    /// The approximate memory of the message, in octets.
    let cost: Int
}

/// The latest verdicts other than a clean pass, as many as there is room for.
final class History: Sendable {
    private struct State {
        var capacity: Int
        var messages: Deque<RememberedMessage> = []
        var cost = 0
    }

    /// The approximate limit for all messages, in octets; the mail and its DNS records determine the size of each.
    static let maximumOctets = 32 << 20

    /// A larger message is not remembered.
    static let maximumMessageOctets = 1 << 20

    private let state: Mutex<State>

    /// A history of up to `capacity` messages.
    init(capacity: Int) {
        state = Mutex(State(capacity: capacity))
    }

    /// Changes the number of remembered messages; a smaller number forgets the oldest messages.
    func resize(to capacity: Int) {
        state.withLock { state in
            state.capacity = capacity
            Self.shrink(&state)
        }
    }

    /// How many messages are remembered now.
    var count: Int { state.withLock { $0.messages.count } }

    /// Remembers a message, and forgets the oldest messages to make room.
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

    /// The messages that are wanted, the latest first.
    func messages(where isWanted: (RememberedMessage) -> Bool) -> [RememberedMessage] {
        state.withLock { $0.messages }.reversed().filter(isWanted)
    }
}

extension Judgement {
    /// Whether nobody would ask about the message: no rule applied, no field is removed, and no check found a problem.
    var isCleanPass: Bool {
        verdict.rule == nil && verdict.would == nil && verdict.observed.isEmpty && verdict.mixture == nil
            && verdict.undecided.isEmpty
            && removedFields.isEmpty && summary.isClean
    }
}

extension HeaderBlock {
    /// The fields that identify the sender, as far as there is room for them.
    ///
    /// RFC 4407 § 2 uses these fields and the positions of Received and Return-Path among them.
    var ofSenders: HeaderBlock {
        let names: [StaticString] = ["From", "Sender", "Resent-From", "Resent-Sender", "Received", "Return-Path"]
        var fields = HeaderBlock()
        for field in self where names.contains(where: { field.isNamed($0) }) {
            // Only the positions of the trace fields count.
            let isTrace = field.isNamed("Received") || field.isNamed("Return-Path")
            guard fields.octetCount + field.value.count <= 16_384, fields.count < 100 else { break }
            fields.append(name: field.name, value: isTrace ? Octets() : field.value)
        }
        return fields
    }
}
