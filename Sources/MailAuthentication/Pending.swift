internal import DNSLookup
internal import Synchronization

/// A check that was started and whose outcome is wanted later.
enum Pending<Value: Sendable>: Sendable {
    /// Its outcome was at hand.
    case known(Value)
    /// It goes on until the task ends, which leaves the outcome in the slot.
    case running(Slot, Task<Void, Never>)
    /// It is a question, whose reply is left in the slot.
    case asked(Slot, DNSInquiry)

    /// Where an outcome is left.
    final class Slot: Waitable {
        private struct State {
            var outcome: Value?
            var waiting: [CheckedContinuation<Void, Never>] = []
        }

        private let isFilled = Atomic(false)
        private let state = Mutex(State())

        var isDone: Bool { isFilled.load(ordering: .acquiring) }

        var outcome: Value? { isDone ? state.withLock { $0.outcome } : nil }

        func fill(_ outcome: Value) {
            let waiting = state.withLock { state in
                state.outcome = outcome
                isFilled.store(true, ordering: .releasing)
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }

        func wait() async {
            guard !isDone else { return }
            await withCheckedContinuation { continuation in
                let isFilled = state.withLock { state in
                    guard state.outcome == nil else { return true }
                    state.waiting.append(continuation)
                    return false
                }
                if isFilled { continuation.resume() }
            }
        }
    }

    /// Starts the check on the caller's thread at once; what has to be waited for resumes on the executor, or without one on
    /// the shared pool.
    init(on executor: (any TaskExecutor)?, _ operation: @escaping @Sendable () async -> Value) {
        let slot = Slot()
        self = .running(slot, Task.immediate(executorPreference: executor) { slot.fill(await operation()) })
    }

    /// A check whose outcome is at hand; nil when there is none yet.
    init?(atHand outcome: Value?) {
        guard let outcome else { return nil }
        self = .known(outcome)
    }

    /// The outcome, if it is there.
    var outcome: Value? {
        switch self {
        case .known(let outcome): outcome
        case .running(let slot, _), .asked(let slot, _): slot.outcome
        }
    }

    /// The check, whatever kind of outcome it has; nil when that is there.
    var openCheck: Check? {
        switch self {
        case .running(let slot, let task) where !slot.isDone: .task(task)
        case .asked(let slot, let inquiry) where !slot.isDone: .inquiry(slot, inquiry)
        case .known, .running, .asked: nil
        }
    }

    /// Asks the check to end soon; its lookups then count as unanswered.
    func cancel() { openCheck?.cancel() }
}

extension Pending where Value == DNSReply {
    /// Asks a question; whoever wants the reply finds it in the slot.
    init(_ question: DNSQuestion, of resolver: some DNSResolving, on executor: (any TaskExecutor)?) {
        let slot = Slot()
        if let inquiry = resolver.ask(question, for: nil, answered: { slot.fill($0) }) {
            self = .asked(slot, inquiry)
        } else {
            self.init(on: executor) { await resolver.lookUp(question) }
        }
    }
}

/// Something that is over at some time.
protocol Waitable: AnyObject, Sendable {
    /// Returns once it is over.
    func wait() async
}

/// A check of any kind that can be waited for.
enum Check: Sendable {
    /// A task that ends when the outcome is there.
    case task(Task<Void, Never>)
    /// A question, and where its reply will be.
    case inquiry(any Waitable, DNSInquiry)

    /// Returns once the outcome is there.
    func wait() async {
        switch self {
        case .task(let task): await task.value
        case .inquiry(let slot, _): await slot.wait()
        }
    }

    /// Asks the check to end soon.
    func cancel() {
        switch self {
        case .task(let task): task.cancel()
        case .inquiry(_, let inquiry): inquiry.cancel()
        }
    }
}

/// Checks whose outcomes are missing.
public struct OpenChecks: Sendable {
    let checks: [Check]

    /// The checks one by one.
    public var each: [OpenChecks] { checks.map { OpenChecks(checks: [$0]) } }

    /// Returns once all outcomes are there.
    public func wait() async {
        for check in checks { await check.wait() }
    }

    /// Returns once all outcomes are there; what is open after a time counts as unanswered.
    public func wait(atMost time: Duration) async {
        let timer = Task {
            // An interrupted sleep means that the outcomes came first.
            guard (try? await Task.sleep(for: time)) != nil else { return }
            for check in checks { check.cancel() }
        }
        await wait()
        timer.cancel()
    }
}
