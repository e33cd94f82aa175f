internal import DNSLookup
internal import Synchronization

/// A check that was started and whose outcome is needed later.
enum Pending<Value: Sendable>: Sendable {
    /// The outcome was available at once.
    case known(Value)
    /// The check is running, and will store its outcome in the slot.
    case open(Slot, OpenLookup)

    /// The place of an outcome.
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

    /// Starts an inquiry; its outcome is known at once if all answers are available.
    ///
    /// Otherwise the inquiry starts on the caller's thread, and resumes after a wait on the executor, or without an
    /// executor on the shared pool.
    init<Inquiry: DNSInquiry>(_ inquiry: Inquiry, _ resolver: RecordingResolver, on executor: (any TaskExecutor)?)
    where Inquiry.Outcome == Value {
        if let outcome = resolver.outcomeAtHand(of: inquiry) {
            self = .known(outcome)
            return
        }
        let slot = Slot()
        let task = Task.immediate(executorPreference: executor) { slot.fill(await resolver.outcome(of: inquiry)) }
        self = .open(slot, OpenLookup { task.cancel() })
    }

    /// The outcome, if it is known.
    var outcome: Value? {
        switch self {
        case .known(let outcome): outcome
        case .open(let slot, _): slot.outcome
        }
    }

    /// The check, whatever type of outcome it has; nil when the outcome is known.
    var openCheck: OpenCheck? {
        guard case .open(let slot, let lookup) = self, !slot.isDone else { return nil }
        return OpenCheck(slot: slot, lookup: lookup)
    }

    /// Asks the check to end soon; its lookups then count as unanswered.
    func cancel() { openCheck?.cancel() }
}

extension Pending where Value == DNSReply {
    /// Asks a question; its outcome is the reply alone, so it needs no task.
    init(_ question: DNSQuestion, _ resolver: RecordingResolver) {
        if let reply = resolver.answerAtHand(question) {
            self = .known(reply)
            return
        }
        let slot = Slot()
        self = .open(slot, resolver.ask(question, for: nil) { slot.fill($0) })
    }
}

/// Something that ends at some time.
protocol Waitable: AnyObject, Sendable {
    /// Returns after the end.
    func wait() async
}

/// A check of any kind that can be waited for.
struct OpenCheck: Sendable {
    fileprivate let slot: any Waitable
    fileprivate let lookup: OpenLookup

    /// Returns when the outcome is known.
    func wait() async { await slot.wait() }

    /// Asks the check to end soon.
    func cancel() { lookup.cancel() }
}

/// Checks that have no outcome yet.
public struct OpenChecks: Sendable {
    let checks: [OpenCheck]

    /// The checks, each by itself.
    public var each: [OpenChecks] { checks.map { OpenChecks(checks: [$0]) } }

    /// Returns when all outcomes are known.
    public func wait() async {
        for check in checks { await check.wait() }
    }

    /// Returns when all outcomes are known; checks that are open after `time` count as unanswered.
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
