internal import Synchronization

/// A check that was started and whose outcome is wanted later.
enum Pending<Value: Sendable>: Sendable {
    /// Its outcome was at hand.
    case known(Value)
    /// It goes on until the task ends, which leaves the outcome in the slot.
    case running(Slot, Task<Void, Never>)

    /// Where an outcome is left.
    final class Slot: Sendable {
        private let isFilled = Atomic(false)
        private let value = Mutex<Value?>(nil)

        var isDone: Bool { isFilled.load(ordering: .acquiring) }

        var outcome: Value? { isDone ? value.withLock { $0 } : nil }

        func fill(_ outcome: Value) {
            value.withLock { $0 = outcome }
            isFilled.store(true, ordering: .releasing)
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
        case .running(let slot, _): slot.outcome
        }
    }

    /// The check, whatever kind of outcome it has; nil when that is there.
    var openCheck: Check? {
        guard case .running(let slot, let task) = self, !slot.isDone else { return nil }
        return Check(task: task)
    }

    /// Asks the check to end soon; its lookups then count as unanswered.
    func cancel() {
        if case .running(_, let task) = self { task.cancel() }
    }
}

/// A check of any kind that can be waited for.
struct Check: Sendable {
    fileprivate let task: Task<Void, Never>

    /// Returns once the outcome is there.
    func wait() async { await task.value }

    /// Asks the check to end soon.
    func cancel() { task.cancel() }
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
