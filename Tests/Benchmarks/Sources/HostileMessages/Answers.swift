import DNSLookup
import Synchronization

/// The name servers of a case, and the loop that its checks resume on: answers come one at a time, and jobs run when the
/// program says so, on its own thread.
final class Answers: DNSResolving, TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var waiting: [(DNSQuestion, CheckedContinuation<DNSReply, Never>)] = []
        var octets = 0
        var queries = 0
    }

    private let zone: DNSZone
    /// Whether answers are there at once, as from a cache, the same objects each time.
    private let areAtHand: Bool
    private let known = Mutex<[DNSQuestion: DNSReply]>([:])
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
        guard areAtHand else { return nil }
        let reply = known.withLock { known in
            if let reply = known[question] { return reply }
            let reply = DNSReply(zone.answer(question), source: .cache)
            known[question] = reply
            return reply
        }
        count(reply)
        return reply
    }

    func lookUp(_ question: DNSQuestion) async -> DNSReply {
        if let reply = answerAtHand(question) { return reply }
        return await withCheckedContinuation { continuation in
            state.withLock { $0.waiting.append((question, continuation)) }
        }
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
        guard let (question, continuation) = state.withLock({ $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() })
        else { return nil }
        let reply = DNSReply(zone.answer(question), source: .server)
        count(reply)
        return {
            continuation.resume(returning: reply)
            self.runJobs()
        }
    }
}
