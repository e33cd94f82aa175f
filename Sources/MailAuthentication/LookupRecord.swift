public import DNSLookup
internal import Synchronization

/// The lookups of one message: each question once, with its first reply, in the order of the replies.
///
/// The sender of a message chooses which servers we ask, and how much they reply, so the amount that is read is
/// limited. Each check has its own share, so that a name server of the sender cannot use up the room for another
/// domain's answer.
public final class LookupRecord: DNSAsker {
    /// How many octets of answers are read for each share.
    public static let maximumOctets = 65_536

    /// The groups of questions whose answers are counted together.
    enum Share: Int, CaseIterable {
        /// The questions about the client's name.
        case iprev
        /// The questions of SPF for HELO.
        case helo
        /// The questions of SPF for MAIL FROM.
        case mailFrom
        /// The questions of Sender ID.
        case senderID
        /// The keys of the signatures.
        case keys
        /// The keys of the seals.
        case arc
        /// The policy of the author's domain.
        case policy
        /// The tree walks from domains that may be aligned with the author's domain.
        case alignment
        /// The SPF records of domains that rules ask about.
        case permits
        /// The tree walks from List-Id and from those who may vouch for it.
        case list
    }

    /// One question and its reply.
    public struct Entry: Sendable {
        /// The question.
        public let question: DNSQuestion
        /// The reply, and its source.
        public fileprivate(set) var reply: DNSReply
    }

    private struct State {
        var entries: [Entry] = []
        /// The approximate octets of answers read for each share; the array has one element for each share.
        var octets = InlineArray<10, Int>(repeating: 0)
        /// The shares, as bits, that had no room for an answer; such a share asks no further questions.
        var full: UInt16 = 0
        /// The indices of the questions, when there are many.
        var places: [DNSQuestion: Int] = [:]

        func isFull(_ share: Share) -> Bool { full & (1 << UInt16(share.rawValue)) != 0 }

        /// The index of a question; nil for a new question.
        mutating func place(of question: DNSQuestion) -> Int? {
            // Most messages make few lookups: comparing them is faster than a table. A span copies no entry.
            if entries.count < 16 {
                let known = entries.span
                return known.indices.first { known[$0].question == question }
            }
            if places.isEmpty {
                for (place, entry) in entries.enumerated() { places[entry.question] = place }
            }
            return places[question]
        }

        mutating func append(_ question: DNSQuestion, _ reply: DNSReply) {
            if entries.isEmpty { entries.reserveCapacity(8) }
            if !places.isEmpty { places[question] = entries.count }
            entries.append(Entry(question: question, reply: reply))
        }

        /// Whether a share has room for a reply; if so, the reply is counted.
        mutating func hasRoom(for reply: DNSReply, _ share: Share) -> Bool {
            let octets = self.octets[share.rawValue] + reply.octetCount
            guard !isFull(share), octets <= LookupRecord.maximumOctets else {
                full |= 1 << UInt16(share.rawValue)
                return false
            }
            self.octets[share.rawValue] = octets
            return true
        }
    }

    fileprivate let base: any DNSResolving
    private let state = Mutex(State())
    private let questions = Atomic(0)

    /// A record without lookups; questions go to `base`.
    public init(_ base: any DNSResolving) {
        self.base = base
    }

    /// A resolver for the questions of one share.
    func resolver(_ share: Share) -> RecordingResolver { RecordingResolver(record: self, share: share) }

    /// Records a reply.
    ///
    /// - Returns: the reply that the check may see.
    fileprivate func note(_ question: DNSQuestion, _ reply: DNSReply, _ share: Share) -> DNSReply {
        state.withLock { state in
            guard let place = state.place(of: question) else {
                let noted = state.hasRoom(for: reply, share) ? reply : DNSReply.tooMuch(reply.source)
                state.append(question, noted)
                return noted
            }
            // A reply that was too large for one share may fit into another.
            guard state.entries[place].reply.isTooMuch else {
                return state.isFull(share) ? state.entries[place].reply : reply
            }
            guard state.hasRoom(for: reply, share) else { return state.entries[place].reply }
            state.entries[place].reply = reply
            return reply
        }
    }

    /// The reply of a full share, which asks nothing else; nil as long as the share has room for more.
    fileprivate func finalReply(to question: DNSQuestion, _ share: Share) -> DNSReply? {
        state.withLock { state in
            guard state.isFull(share) else { return nil }
            if let place = state.place(of: question) { return state.entries[place].reply }
            let reply = DNSReply.tooMuch(.cache)
            state.append(question, reply)
            return reply
        }
    }

    /// How many questions have needed a server so far.
    public var questionCount: Int { questions.load(ordering: .relaxed) }

    /// Counts one more question that needs a server.
    public func countQuestion() -> Int { questions.add(1, ordering: .relaxed).oldValue }

    /// The lookups so far.
    public var entries: [Entry] { state.withLock { $0.entries } }
}

/// A resolver that records its questions, and reads no more than its share allows.
struct RecordingResolver: DNSResolving {
    let record: LookupRecord
    let share: LookupRecord.Share

    /// Answers from the base.
    func lookUp(_ question: DNSQuestion) async -> DNSReply {
        if let reply = record.finalReply(to: question, share) { return reply }
        return record.note(question, await record.base.lookUp(question, for: record), share)
    }

    /// Answers from the base.
    func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> OpenLookup {
        if let reply = record.finalReply(to: question, share) {
            answered(reply)
            return OpenLookup {}
        }
        return record.base.ask(question, for: record) { [record, share] reply in
            answered(record.note(question, reply, share))
        }
    }

    /// Answers from the base; only an answer counts as a lookup.
    func answerAtHand(_ question: DNSQuestion) -> DNSReply? {
        guard let reply = record.base.answerAtHand(question) else { return record.finalReply(to: question, share) }
        return record.note(question, reply, share)
    }
}

/// A resolver that knows only recorded answers: it judges a message again from the answers of the first time.
public struct ReplayingResolver: DNSResolving {
    private let replies: [DNSQuestion: DNSReply]

    /// Answers from these entries.
    public init(_ entries: [LookupRecord.Entry]) {
        replies = Dictionary(entries.map { ($0.question, $0.reply) }) { first, _ in first }
    }

    /// The recorded reply; a question without a recorded reply is not answered.
    public func lookUp(_ question: DNSQuestion) async -> DNSReply {
        replies[question] ?? DNSReply(.failure(.serverFailure), source: .zone)
    }
}

extension DNSReply {
    fileprivate static func tooMuch(_ source: DNSSource) -> DNSReply { DNSReply(.failure(.tooMuch), source: source) }

    fileprivate var isTooMuch: Bool {
        if case .failure(.tooMuch) = result { true } else { false }
    }

    /// The approximate size of the reply on the wire, in octets.
    fileprivate var octetCount: Int {
        guard case .success(let answer) = result else { return 0 }
        return answer.records.reduce(40) { count, record in
            if case .txt(let text) = record { count + 16 + text.count } else { count + 16 }
        }
    }
}

extension LookupRecord.Entry {
    /// The approximate size of the answer, in octets.
    package var octetCount: Int {
        guard case .success(let answer) = reply.result else { return 64 }
        return answer.records.reduce(128) { count, record in
            if case .txt(let text) = record { count + text.count } else { count + 64 }
        }
    }
}
