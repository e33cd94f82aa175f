import DNSLookup
import MailSyntax
import Synchronization

@testable import DNSResolver

/// A transport whose replies the test gives by hand, and a clock that the test moves.
final class FakeTransport: QueryTransport {
    struct Sent: Sendable {
        let question: DNSQuestion
        let demand: Demand
        let handle: QueryHandle
        let completion: @Sendable (QueryOutcome) -> Void
    }

    private struct State {
        var sent: [Sent] = []
        var cancelled: [QueryHandle] = []
        var automatic: (@Sendable (DNSQuestion) -> QueryOutcome)?
        var time = ContinuousClock.now
    }

    private let state = Mutex(State())

    var sent: [Sent] { state.withLock { $0.sent } }
    var cancelled: [QueryHandle] { state.withLock { $0.cancelled } }
    var clock: CachingResolver.Clock { { self.state.withLock { $0.time } } }

    func advance(_ duration: Duration) { state.withLock { $0.time += duration } }

    /// Answers every question at once from now on.
    func answer(_ make: (@Sendable (DNSQuestion) -> QueryOutcome)?) { state.withLock { $0.automatic = make } }

    func start(
        _ question: DNSQuestion,
        for demand: Demand,
        completion: @escaping @Sendable (QueryOutcome) -> Void
    ) -> QueryHandle {
        let (handle, automatic) = state.withLock { state in
            let handle = QueryHandle(loop: 0, number: UInt64(state.sent.count))
            state.sent.append(Sent(question: question, demand: demand, handle: handle, completion: completion))
            return (handle, state.automatic)
        }
        if let automatic { completion(automatic(question)) }
        return handle
    }

    func join(_ handle: QueryHandle, asked: Int) {}

    func isWaiting(_ handle: QueryHandle) -> Bool { false }

    func cancel(_ handle: QueryHandle) { state.withLock { $0.cancelled.append(handle) } }

    /// Waits until this many questions have been sent.
    func waitForSent(_ count: Int) async {
        while sent.count < count { await Task.yield() }
    }
}

extension QueryOutcome {
    static func text(_ text: String, timeToLive: UInt32 = 300) -> @Sendable (DNSQuestion) -> QueryOutcome {
        { QueryOutcome(result: .success(DNSAnswer($0, records: [.txt(Array(text.utf8))], timeToLive: timeToLive))) }
    }

    static func noSuchName(timeToLive: UInt32 = 300) -> @Sendable (DNSQuestion) -> QueryOutcome {
        {
            let answer = DNSAnswer($0, negative: .noSuchName, timeToLive: timeToLive)
            return QueryOutcome(result: .success(answer), deniesName: true)
        }
    }

    static func noData(timeToLive: UInt32) -> @Sendable (DNSQuestion) -> QueryOutcome {
        { QueryOutcome(result: .success(DNSAnswer($0, negative: .noData, timeToLive: timeToLive))) }
    }

    static func failure(_ error: DNSLookupError) -> @Sendable (DNSQuestion) -> QueryOutcome {
        { _ in QueryOutcome(result: .failure(error)) }
    }
}
