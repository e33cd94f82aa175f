public import DNSLookup
internal import Synchronization

/// The lookups of one message: each question once, with its first reply, in the order in which the replies came.
public final class LookupRecord: DNSAsker {
    /// One question and what came back.
    public struct Entry: Sendable {
        /// What was asked.
        public let question: DNSQuestion
        /// What came back, and from where.
        public let reply: DNSReply
    }

    private struct State {
        var entries: [Entry] = []
        /// The questions, when there are many.
        var known: Set<DNSQuestion> = []

        mutating func isNew(_ question: DNSQuestion) -> Bool {
            // Most messages make few lookups: to compare them costs less than a table. A span copies no entry.
            if entries.count < 16 {
                let known = entries.span
                return !known.indices.contains { known[$0].question == question }
            }
            if known.isEmpty { known = Set(entries.map(\.question)) }
            return known.insert(question).inserted
        }
    }

    private let state = Mutex(State())
    private let questions = Atomic(0)

    /// A record without lookups.
    public init() {}

    func append(_ question: DNSQuestion, _ reply: DNSReply) {
        state.withLock { state in
            guard state.isNew(question) else { return }
            if state.entries.isEmpty { state.entries.reserveCapacity(8) }
            state.entries.append(Entry(question: question, reply: reply))
        }
    }

    /// How many questions had to be sent to a server so far.
    public var questionCount: Int { questions.load(ordering: .relaxed) }

    /// Counts one more question that has to be sent to a server.
    public func countQuestion() -> Int { questions.add(1, ordering: .relaxed).oldValue }

    /// The lookups so far.
    public var entries: [Entry] { state.withLock { $0.entries } }
}

/// A resolver that notes what it is asked; a class, for every check keeps it.
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
        let reply = await base.lookUp(question, for: record)
        record.append(question, reply)
        return reply
    }

    /// Answers as the base does.
    public func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> DNSInquiry? {
        base.ask(question, for: record) { [record] reply in
            record.append(question, reply)
            answered(reply)
        }
    }

    /// Answers as the base does; only an answer counts as a lookup.
    public func answerAtHand(_ question: DNSQuestion) -> DNSReply? {
        guard let reply = base.answerAtHand(question) else { return nil }
        record.append(question, reply)
        return reply
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

extension LookupRecord.Entry {
    /// About how many octets the answer takes.
    package var octetCount: Int {
        guard case .success(let answer) = reply.result else { return 64 }
        return answer.records.reduce(128) { count, record in
            if case .txt(let text) = record { count + text.count } else { count + 64 }
        }
    }
}
