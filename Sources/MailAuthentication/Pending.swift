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
    /// What can be done without knowing what kind of outcome it is.
    let check: Check

    /// Starts the check; without an executor it resumes on the shared pool.
    init(on executor: (any TaskExecutor)?, _ operation: @escaping @Sendable () async -> Value) {
        check = Check(on: executor) { [slot] in
            let value = await operation()
            slot.value.withLock { $0 = value }
        }
    }

    /// A check whose outcome was at hand.
    init(_ value: Value) {
        slot.value.withLock { $0 = value }
        check = Check()
    }

    /// The outcome, if it is there.
    var outcome: Value? { check.isDone ? slot.value.withLock { $0 } : nil }

    /// Asks the check to end soon; its lookups then count as unanswered.
    func cancel() { check.cancel() }
}

/// A check of any kind that can be waited for.
struct Check: Sendable {
    private final class Flag: Sendable {
        let isUp = Atomic(false)
    }

    private let flag: Flag?
    private let task: Task<Void, Never>?

    fileprivate init() {
        flag = nil
        task = nil
    }

    fileprivate init(on executor: (any TaskExecutor)?, _ operation: @escaping @Sendable () async -> Void) {
        let flag = Flag()
        self.flag = flag
        task = Task.immediate(executorPreference: executor) {
            await operation()
            flag.isUp.store(true, ordering: .releasing)
        }
    }

    /// Whether the outcome is there.
    var isDone: Bool { flag?.isUp.load(ordering: .acquiring) ?? true }

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
