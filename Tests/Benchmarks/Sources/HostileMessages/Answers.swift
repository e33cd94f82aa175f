import DNSLookup
import Synchronization

/// The name servers of a case, and the loop that its checks resume on: answers come one at a time, and jobs run when the
/// program says so, on its own thread.
final class Answers: DNSResolving, TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var waiting: [(question: DNSQuestion, answered: @Sendable (DNSReply) -> Void)] = []
        var octets = 0
        var queries = 0
    }

    private let zone: DNSZone
    /// Whether answers are there at once, as from a cache.
    private let areAtHand: Bool
    /// What was answered: who asks again gets the same object, as from a cache.
    private let known = Mutex<[DNSQuestion: DNSAnswer]>([:])
    private let state = Mutex(State())

    init(_ zone: DNSZone, areAtHand: Bool) {
        self.zone = zone
        self.areAtHand = areAtHand
    }

    /// About how many octets of answers were sent.
    var octets: Int { state.withLock { $0.octets } }
    /// How many questions were asked.
    var queries: Int { state.withLock { $0.queries } }

    /// Begins to count anew.
    func reset() {
        state.withLock { state in
            state.octets = 0
            state.queries = 0
        }
    }

    func answerAtHand(_ question: DNSQuestion) -> DNSReply? {
        areAtHand ? reply(to: question, source: .cache) : nil
    }

    func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> OpenLookup {
        if let reply = answerAtHand(question) {
            answered(reply)
        } else {
            state.withLock { $0.waiting.append((question, answered)) }
        }
        return OpenLookup {}
    }

    func lookUp(_ question: DNSQuestion) async -> DNSReply {
        await withCheckedContinuation { continuation in
            _ = ask(question, for: nil) { continuation.resume(returning: $0) }
        }
    }

    private func reply(to question: DNSQuestion, source: DNSSource) -> DNSReply {
        let result: Result<DNSAnswer, DNSLookupError> = known.withLock { known in
            if let answer = known[question] { return .success(answer) }
            let result = zone.answer(question)
            known[question] = try? result.get()
            return result
        }
        let reply = DNSReply(result, source: source)
        count(reply)
        return reply
    }

    private func count(_ reply: DNSReply) {
        let octets =
            (try? reply.result.get())?.records.reduce(40) { sum, record in
                if case .txt(let text) = record { sum + 16 + text.count } else { sum + 16 }
            } ?? 40
        state.withLock { state in
            state.octets += octets
            state.queries += 1
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    /// Runs what can go on.
    func runJobs() {
        while let job = state.withLock({ $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }) {
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    /// The next question that waits, with the way to answer it; nil when none does.
    func next() -> (() -> Void)? {
        guard let (question, answered) = state.withLock({ $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() })
        else { return nil }
        let reply = reply(to: question, source: .server)
        return {
            answered(reply)
            self.runJobs()
        }
    }
}
