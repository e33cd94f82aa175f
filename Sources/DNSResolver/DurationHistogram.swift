internal import Synchronization

/// Counts how often something took how long, in fixed steps.
public final class DurationHistogram: Sendable {
    /// What was counted.
    public struct Values: Hashable, Sendable {
        /// How often it took no longer than each of `bounds`, and longer than the bound before; the last count is of what took
        /// longer than all bounds.
        public let counts: [Int]
        /// How long it took in all.
        public let sum: Duration
    }

    private struct State {
        var counts = InlineArray<15, Int>(repeating: 0)
        var sum = Duration.zero
    }

    /// The upper bounds of the steps: from what a cache answers to what no MTA waits for.
    public static let bounds: [Duration] = [
        .microseconds(1_000), .microseconds(2_500), .microseconds(5_000), .microseconds(10_000), .microseconds(25_000),
        .microseconds(50_000), .microseconds(100_000), .microseconds(250_000), .microseconds(500_000), .seconds(1),
        .microseconds(2_500_000), .seconds(5), .seconds(10), .seconds(30),
    ]

    private let state = Mutex(State())

    /// A histogram that has counted nothing.
    public init() {}

    /// What was counted so far.
    public var values: Values {
        let state = state.withLock { $0 }
        return Values(counts: state.counts.indices.map { state.counts[$0] }, sum: state.sum)
    }

    /// Counts once.
    public func count(_ duration: Duration) {
        let step = Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.counts[step] += 1
            state.sum += duration
        }
    }
}
