public import DNSLookup
internal import Synchronization

/// The lookups of one message: each question once, with its first reply, in the order in which the replies came.
///
/// Whoever sends a message chooses whom it has us ask, and how much these say: so there is a bound on what is read. Each
/// check has its own, so that a name server of the sender's cannot use up what another domain's answer needs.
public final class LookupRecord: DNSAsker {
    /// How many octets of answers are read for each share.
    public static let maximumOctets = 65_536

    /// Whose questions are counted together.
    enum Share: Int, CaseIterable {
        /// Those about the client's name.
        case iprev
        /// Those of SPF for HELO.
        case helo
        /// Those of SPF for MAIL FROM.
        case mailFrom
        /// Those of Sender ID.
        case senderID
        /// The keys of the signatures.
        case keys
        /// The policy of the author's domain.
        case policy
        /// The walks from domains that may be aligned with it.
        case alignment
    }

    /// One question and what came back.
    public struct Entry: Sendable {
        /// What was asked.
        public let question: DNSQuestion
        /// What came back, and from where.
        public fileprivate(set) var reply: DNSReply
    }

    private struct State {
        var entries: [Entry] = []
        /// About how many octets of answers were read for each share; it has as many places as there are shares.
        var octets = InlineArray<7, Int>(repeating: 0)
        /// The shares, as bits, for which an answer was too long to be read as well; nothing else is asked for these.
        var full: UInt8 = 0
        /// The places of the questions, when there are many.
        var places: [DNSQuestion: Int] = [:]

        func isFull(_ share: Share) -> Bool { full & (1 << UInt8(share.rawValue)) != 0 }

        /// The place of a question; nil when it is new.
        mutating func place(of question: DNSQuestion) -> Int? {
            // Most messages make few lookups: to compare them costs less than a table. A span copies no entry.
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

        /// Whether a share has room for a reply, which is counted then.
        mutating func hasRoom(for reply: DNSReply, _ share: Share) -> Bool {
            let octets = self.octets[share.rawValue] + reply.octetCount
            guard !isFull(share), octets <= LookupRecord.maximumOctets else {
                full |= 1 << UInt8(share.rawValue)
                return false
            }
            self.octets[share.rawValue] = octets
            return true
        }
    }

    fileprivate let base: any DNSResolving
    private let state = Mutex(State())
    private let questions = Atomic(0)

    /// A record without lookups; questions are passed on to `base`.
    public init(_ base: any DNSResolving) {
        self.base = base
    }

    /// A resolver for the questions of one share.
    func resolver(_ share: Share) -> RecordingResolver { RecordingResolver(record: self, share: share) }

    /// Notes a reply.
    ///
    /// - Returns: the reply as the check may know it.
    fileprivate func note(_ question: DNSQuestion, _ reply: DNSReply, _ share: Share) -> DNSReply {
        state.withLock { state in
            guard let place = state.place(of: question) else {
                let noted = state.hasRoom(for: reply, share) ? reply : DNSReply.tooMuch(reply.source)
                state.append(question, noted)
                return noted
            }
            // What was too much for one share may have room in another.
            guard state.entries[place].reply.isTooMuch else {
                return state.isFull(share) ? state.entries[place].reply : reply
            }
            guard state.hasRoom(for: reply, share) else { return state.entries[place].reply }
            state.entries[place].reply = reply
            return reply
        }
    }

    /// What is known of a question when nothing else is asked; nil as long as the share has room for more.
    fileprivate func finalReply(to question: DNSQuestion, _ share: Share) -> DNSReply? {
        state.withLock { state in
            guard state.isFull(share) else { return nil }
            if let place = state.place(of: question) { return state.entries[place].reply }
            let reply = DNSReply.tooMuch(.cache)
            state.append(question, reply)
            return reply
        }
    }

    /// How many questions had to be sent to a server so far.
    public var questionCount: Int { questions.load(ordering: .relaxed) }

    /// Counts one more question that has to be sent to a server.
    public func countQuestion() -> Int { questions.add(1, ordering: .relaxed).oldValue }

    /// The lookups so far.
    public var entries: [Entry] { state.withLock { $0.entries } }
}

/// A resolver that notes what it is asked, and reads no more than a share of it may have.
struct RecordingResolver: DNSResolving {
    let record: LookupRecord
    let share: LookupRecord.Share

    /// Answers as the base does.
    func lookUp(_ question: DNSQuestion) async -> DNSReply {
        if let reply = record.finalReply(to: question, share) { return reply }
        return record.note(question, await record.base.lookUp(question, for: record), share)
    }

    /// Answers as the base does.
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

    /// Answers as the base does; only an answer counts as a lookup.
    func answerAtHand(_ question: DNSQuestion) -> DNSReply? {
        guard let reply = record.base.answerAtHand(question) else { return record.finalReply(to: question, share) }
        return record.note(question, reply, share)
    }
}

/// A resolver that knows only what another learned: it judges a message again from the answers of its first day.
public struct ReplayingResolver: DNSResolving {
    private let replies: [DNSQuestion: DNSReply]

    /// Answers from these entries.
    public init(_ entries: [LookupRecord.Entry]) {
        replies = Dictionary(entries.map { ($0.question, $0.reply) }) { first, _ in first }
    }

    /// The reply that was recorded; a question that was not asked then has no answer now.
    public func lookUp(_ question: DNSQuestion) async -> DNSReply {
        replies[question] ?? DNSReply(.failure(.serverFailure), source: .zone)
    }
}

extension DNSReply {
    fileprivate static func tooMuch(_ source: DNSSource) -> DNSReply { DNSReply(.failure(.tooMuch), source: source) }

    fileprivate var isTooMuch: Bool {
        if case .failure(.tooMuch) = result { true } else { false }
    }

    /// About how many octets the answer has on its way.
    fileprivate var octetCount: Int {
        guard case .success(let answer) = result else { return 0 }
        return answer.records.reduce(40) { count, record in
            if case .txt(let text) = record { count + 16 + text.count } else { count + 16 }
        }
    }
}

extension LookupRecord.Entry {
    /// About how many octets the answer takes.
    package var octetCount: Int {
        guard case .success(let answer) = reply.result else { return 64 }
        return answer.records.reduce(128) { count, record in
            if case .txt(let text) = record { count + text.count } else { count + 64 }
        }
    }
}
