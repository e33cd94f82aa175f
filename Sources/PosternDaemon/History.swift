internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import Synchronization

/// A verdict with all that it rests on.
struct RememberedMessage: Sendable {
    /// When it was judged, in seconds since 1970.
    let time: Int64
    /// What SMTP, the checks and the rules said, and what the DNS answered.
    let judgement: Judgement
    /// The rest of its log line.
    let summary: MessageSummary
    /// The header fields that Sender ID and DMARC look at.
    let headers: HeaderBlock
    /// The name under which it was reported.
    let authservID: Octets
}

/// The last verdicts other than a clean pass, for as long as there is room.
final class History: Sendable {
    private struct State {
        var capacity: Int
        var messages: [RememberedMessage] = []
        /// Where the next message goes once the list is full: over the oldest.
        var next = 0
    }

    private let state: Mutex<State>

    /// A history of this many messages.
    init(capacity: Int) {
        state = Mutex(State(capacity: capacity))
    }

    /// Changes how many messages are remembered; fewer forgets the oldest.
    func resize(to capacity: Int) {
        state.withLock { state in
            guard capacity != state.capacity else { return }
            let ordered = state.messages[state.next...] + state.messages[..<state.next]
            state = State(capacity: capacity, messages: Array(ordered.suffix(capacity)))
        }
    }

    /// How many messages are remembered now.
    var count: Int { state.withLock { $0.messages.count } }

    /// Remembers a message, and forgets the oldest for it.
    func remember(_ message: RememberedMessage) {
        state.withLock { state in
            guard state.capacity > 0 else { return }
            if state.messages.count < state.capacity {
                state.messages.append(message)
            } else {
                state.messages[state.next] = message
                state.next = (state.next + 1) % state.capacity
            }
        }
    }

    /// The messages with this queue id, the latest first.
    func messages(queueID: [UInt8]) -> [RememberedMessage] {
        state.withLock { state in
            (state.messages[state.next...] + state.messages[..<state.next])
                .filter { ($0.summary.queueID ?? LogLine.noQueueID) == queueID }
                .reversed()
        }
    }
}

extension Judgement {
    /// Whether there is nothing about the message that anybody would ask about.
    var isCleanPass: Bool {
        verdict.rule == nil && verdict.would == nil && verdict.observed.isEmpty && verdict.partial == nil
            && removedFields.isEmpty && assessment.summary.isClean
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
