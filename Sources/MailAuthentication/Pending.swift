internal import Synchronization

/// A check that was started and whose outcome is wanted later.
///
/// It begins on the caller's thread at once; with every answer in the cache its outcome is there when `init` returns,
/// and nothing changed threads. What has to be waited for resumes on the executor.
struct Pending<Value: Sendable>: Sendable {
    private final class Slot: Completion {
        let isFilled = Atomic(false)
        let value = Mutex<Value?>(nil)

        var isDone: Bool { isFilled.load(ordering: .acquiring) }

        func fill(_ outcome: Value) {
            value.withLock { $0 = outcome }
            isFilled.store(true, ordering: .releasing)
        }
    }

    private let slot = Slot()
    private let task: Task<Void, Never>?

    /// Starts the check; without an executor it resumes on the shared pool.
    init(on executor: (any TaskExecutor)?, _ operation: @escaping @Sendable () async -> Value) {
        task = Task.immediate(executorPreference: executor) { [slot] in slot.fill(await operation()) }
    }

    /// A check whose outcome is at hand; nil when there is none yet.
    init?(atHand outcome: Value?) {
        guard let outcome else { return nil }
        task = nil
        slot.fill(outcome)
    }

    /// The outcome, if it is there.
    var outcome: Value? { slot.isDone ? slot.value.withLock { $0 } : nil }

    /// What can be done without knowing what kind of outcome it is.
    var check: Check { Check(completion: slot, task: task) }

    /// Asks the check to end soon; its lookups then count as unanswered.
    func cancel() { task?.cancel() }
}

/// Something that ends once.
private protocol Completion: AnyObject, Sendable {
    var isDone: Bool { get }
}

/// A check of any kind that can be waited for.
struct Check: Sendable {
    fileprivate let completion: any Completion
    fileprivate let task: Task<Void, Never>?

    /// Whether the outcome is there.
    var isDone: Bool { completion.isDone }

    /// Returns once the outcome is there.
    func wait() async { await task?.value }

    /// Asks the check to end soon.
    func cancel() { task?.cancel() }
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
