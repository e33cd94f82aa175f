public import DNSLookup
internal import Synchronization

/// The lookups of one message: each question once, with its first reply, in the order in which the replies came.
///
/// Whoever sends a message chooses whom it has us ask, and how much these say: so there is a bound on what is read.
public final class LookupRecord: DNSAsker {
    /// How many octets of answers are read for a message, and how many more for what is asked about its client.
    public static let mostOctets = 256_000

    /// One question and what came back.
    public struct Entry: Sendable {
        /// What was asked.
        public let question: DNSQuestion
        /// What came back, and from where.
        public let reply: DNSReply
    }

    private struct State {
        var entries: [Entry] = []
        /// About how many octets of answers were read.
        var octets = 0
        /// Whether an answer was too long to be read as well; then nothing else is asked.
        var isFull = false
        /// The questions, when there are many.
        var questions: Set<DNSQuestion> = []

        mutating func isNew(_ question: DNSQuestion) -> Bool {
            // Most messages make few lookups: to compare them costs less than a table. A span copies no entry.
            if entries.count < 16 {
                let known = entries.span
                return !known.indices.contains { known[$0].question == question }
            }
            if questions.isEmpty { questions = Set(entries.map(\.question)) }
            return questions.insert(question).inserted
        }

        /// The reply that a question got.
        func known(_ question: DNSQuestion) -> DNSReply? { entries.first { $0.question == question }?.reply }
    }

    private let state = Mutex(State())
    private let questions = Atomic(0)

    /// A record without lookups.
    public init() {}

    /// Notes a reply.
    ///
    /// - Returns: the reply as the message may know it; whoever asks again gets the same.
    func note(_ question: DNSQuestion, _ reply: DNSReply) -> DNSReply {
        state.withLock { state in
            guard state.isNew(question) else { return state.isFull ? state.known(question) ?? reply : reply }
            if state.entries.isEmpty { state.entries.reserveCapacity(8) }
            let octets = state.octets + reply.octetCount
            let isTooMuch = octets > Self.mostOctets
            if isTooMuch { state.isFull = true } else { state.octets = octets }
            let noted = isTooMuch ? DNSReply(.failure(.tooMuch), source: reply.source) : reply
            state.entries.append(Entry(question: question, reply: noted))
            return noted
        }
    }

    /// What is known of a question when nothing else is asked; nil as long as there is room for more.
    func finalReply(to question: DNSQuestion) -> DNSReply? {
        state.withLock { state in
            guard state.isFull else { return nil }
            if let known = state.known(question) { return known }
            let reply = DNSReply(.failure(.tooMuch), source: .cache)
            if state.isNew(question) { state.entries.append(Entry(question: question, reply: reply)) }
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

/// A resolver that notes what it is asked, and reads no more than a message may have; a class, for every check keeps it.
public final class RecordingResolver: DNSResolving {
    let base: any DNSResolving
    let record: LookupRecord

    /// Passes questions on to `base` and notes them in `record`.
    public init(_ base: any DNSResolving, record: LookupRecord) {
        self.base = base
        self.record = record
    }

    /// Answers as the base does.
    public func lookUp(_ question: DNSQuestion) async -> DNSReply {
        if let reply = record.finalReply(to: question) { return reply }
        return record.note(question, await base.lookUp(question, for: record))
    }

    /// Answers as the base does.
    public func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> OpenLookup {
        if let reply = record.finalReply(to: question) {
            answered(reply)
            return OpenLookup {}
        }
        return base.ask(question, for: record) { [record] reply in answered(record.note(question, reply)) }
    }

    /// Answers as the base does; only an answer counts as a lookup.
    public func answerAtHand(_ question: DNSQuestion) -> DNSReply? {
        guard let reply = base.answerAtHand(question) else { return record.finalReply(to: question) }
        return record.note(question, reply)
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
