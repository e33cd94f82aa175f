internal import DequeModule
internal import ServiceLifecycle
internal import Synchronization

/// How many messages a second there were over the last minute or, while it is younger, since the daemon began.
final class MessageRate: Service {
    /// How many messages there had been at a time.
    private struct Sample {
        let time = ContinuousClock.now
        let messages: Int
    }

    private static let interval = Duration.seconds(5)
    private static let samples = 12

    private let counters: Counters
    private let samples: Mutex<Deque<Sample>>

    /// The rate of the messages that are counted here.
    init(_ counters: Counters) {
        self.counters = counters
        samples = Mutex([Sample(messages: counters.values.allMessages)])
    }

    /// Takes samples until the daemon stops.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil { self.sample() }
        }
    }

    private func sample() {
        let sample = Sample(messages: counters.values.allMessages)
        samples.withLock { samples in
            samples.append(sample)
            if samples.count > Self.samples { samples.removeFirst() }
        }
    }

    /// Messages a second.
    var perSecond: Double {
        guard let oldest = samples.withLock({ $0.first }) else { return 0 }
        let seconds = (ContinuousClock.now - oldest.time) / .seconds(1)
        return seconds > 0 ? Double(counters.values.allMessages - oldest.messages) / seconds : 0
    }
}

extension Counters.Values {
    /// Messages, whatever was done with them.
    fileprivate var allMessages: Int { messages.values.reduce(0, +) }
}
