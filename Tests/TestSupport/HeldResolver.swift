public import DNSLookup
import MailSyntax
import Synchronization

/// A resolver that answers from a zone, each question not before the test releases it.
public final class HeldResolver: DNSResolving {
    private struct State {
        var asked: [String] = []
        var cancelled: [String] = []
        var released: Set<String> = []
        var isReleased = false
        var waiting: [(id: Int, question: DNSQuestion, answered: @Sendable (DNSReply) -> Void)] = []
        var count = 0
        var cancelledIDs: Set<Int> = []

        /// Takes out those who wait and whom `isMeant` means.
        mutating func take(_ isMeant: (Int, DNSQuestion) -> Bool) -> [(
            DNSQuestion, @Sendable (DNSReply) -> Void
        )] {
            let taken = waiting.filter { isMeant($0.id, $0.question) }
            waiting.removeAll { isMeant($0.id, $0.question) }
            return taken.map { ($0.question, $0.answered) }
        }
    }

    private let zone: DNSZone
    private let state = Mutex(State())

    /// Answers come from a zone.
    public init(_ zone: DNSZone) {
        self.zone = zone
    }

    /// The questions asked since the last call, in order.
    public func newQuestions() -> [String] {
        state.withLock { state in
            defer { state.asked = [] }
            return state.asked
        }
    }

    /// The questions whose askers gave up, sorted.
    public var cancelled: [String] { state.withLock { $0.cancelled.sorted() } }

    /// Answers these questions, now and from now on.
    public func release(_ questions: String...) {
        let ready = state.withLock { state in
            state.released.formUnion(questions)
            return state.take { questions.contains("\($1)") }
        }
        for (question, answered) in ready { answered(reply(question)) }
    }

    /// Answers every question, now and from now on.
    public func releaseAll() {
        let ready = state.withLock { state in
            state.isReleased = true
            return state.take { _, _ in true }
        }
        for (question, answered) in ready { answered(reply(question)) }
    }

    /// Answers when the test says so.
    public func lookUp(_ question: DNSQuestion) async -> DNSReply {
        let id = number(question)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in hold(question, id) { continuation.resume(returning: $0) } }
        } onCancel: {
            giveUp(question, id)
        }
    }

    /// Answers when the test says so.
    public func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> OpenLookup {
        let id = number(question)
        hold(question, id, answered)
        return OpenLookup {
            let isOpen = self.state.withLock { state in state.waiting.contains { $0.id == id } }
            if isOpen { self.giveUp(question, id) }
        }
    }

    private func number(_ question: DNSQuestion) -> Int {
        state.withLock { state in
            state.asked.append("\(question)")
            state.count += 1
            return state.count
        }
    }

    private func hold(_ question: DNSQuestion, _ id: Int, _ answered: @escaping @Sendable (DNSReply) -> Void) {
        let answer: DNSReply? = state.withLock { state in
            if state.cancelledIDs.contains(id) { return Self.givenUp }
            if state.isReleased || state.released.contains("\(question)") { return reply(question) }
            state.waiting.append((id, question, answered))
            return nil
        }
        if let answer { answered(answer) }
    }

    private func giveUp(_ question: DNSQuestion, _ id: Int) {
        let given = state.withLock { state in
            state.cancelled.append("\(question)")
            state.cancelledIDs.insert(id)
            return state.take { other, _ in other == id }
        }
        for (_, answered) in given { answered(Self.givenUp) }
    }

    private func reply(_ question: DNSQuestion) -> DNSReply {
        DNSReply(zone.answer(question), source: .server)
    }

    private static let givenUp = DNSReply(.failure(.cancelled), source: .server)
}

/// Runs jobs when the test says so, on its thread: nothing depends on time.
public final class ManualExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])

    /// An executor without jobs.
    public init() {}

    /// Keeps a job.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    /// Runs jobs until there are none.
    public func run() {
        while let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
