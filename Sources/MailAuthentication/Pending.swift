internal import DNSLookup
internal import Synchronization

/// A check that was started and whose outcome is wanted later.
enum Pending<Value: Sendable>: Sendable {
    /// Its outcome was at hand.
    case known(Value)
    /// It goes on, and its outcome will be left in the slot.
    case open(Slot, OpenLookup)

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

    /// Makes an inquiry: at once when every answer is at hand.
    ///
    /// Otherwise it starts on the caller's thread, and what has to be waited for resumes on the executor, or without one on
    /// the shared pool.
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

    /// The outcome, if it is there.
    var outcome: Value? {
        switch self {
        case .known(let outcome): outcome
        case .open(let slot, _): slot.outcome
        }
    }

    /// The check, whatever kind of outcome it has; nil when that is there.
    var openCheck: OpenCheck? {
        guard case .open(let slot, let lookup) = self, !slot.isDone else { return nil }
        return OpenCheck(slot: slot, lookup: lookup)
    }

    /// Asks the check to end soon; its lookups then count as unanswered.
    func cancel() { openCheck?.cancel() }
}

extension Pending where Value == DNSReply {
    /// Asks a question; nothing but the reply is waited for, which takes no task.
    init(_ question: DNSQuestion, _ resolver: RecordingResolver) {
        if let reply = resolver.answerAtHand(question) {
            self = .known(reply)
            return
        }
        let slot = Slot()
        self = .open(slot, resolver.ask(question, for: nil) { slot.fill($0) })
    }
}

/// Something that is over at some time.
protocol Waitable: AnyObject, Sendable {
    /// Returns once it is over.
    func wait() async
}

/// A check of any kind that can be waited for.
struct OpenCheck: Sendable {
    fileprivate let slot: any Waitable
    fileprivate let lookup: OpenLookup

    /// Returns once the outcome is there.
    func wait() async { await slot.wait() }

    /// Asks the check to end soon.
    func cancel() { lookup.cancel() }
}

/// Checks whose outcomes are missing.
public struct OpenChecks: Sendable {
    let checks: [OpenCheck]

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
