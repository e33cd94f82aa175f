internal import Synchronization

/// A check that was started and whose outcome is wanted later.
///
/// It begins on the caller's thread at once; with every answer in the cache its outcome is there when `init` returns,
/// and nothing changed threads. What has to be waited for resumes on the executor.
struct Pending<Value: Sendable>: Sendable {
    private final class Slot: Sendable {
        let value = Mutex<Value?>(nil)
    }

    private let slot = Slot()
    private let task: Task<Value, Never>

    /// Starts the check; without an executor it resumes on the shared pool.
    init(on executor: (any TaskExecutor)?, _ operation: @escaping @Sendable () async -> Value) {
        task = Task.immediate(executorPreference: executor) { [slot] in
            let value = await operation()
            slot.value.withLock { $0 = value }
            return value
        }
    }

    /// The outcome, if it is there.
    var outcome: Value? { slot.value.withLock { $0 } }

    /// The outcome, waited for if need be.
    var value: Value {
        get async { await task.value }
    }

    /// Asks the check to end soon; its lookups then count as unanswered.
    func cancel() {
        task.cancel()
    }
}

/// A check of any kind that can be waited for.
protocol Awaitable: Sendable {
    /// Whether the outcome is there.
    var isDone: Bool { get }
    /// Returns once the outcome is there.
    func wait() async
    /// Asks the check to end soon.
    func cancel()
}

extension Pending: Awaitable {
    var isDone: Bool { outcome != nil }

    func wait() async {
        _ = await task.value
    }
}

/// Checks whose outcomes are missing.
public struct OpenChecks: Sendable {
    let checks: [any Awaitable]

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
