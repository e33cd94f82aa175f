internal import Foundation
internal import Synchronization

/// Runs what real time decides, again and again until the host has not held it up meanwhile.
///
/// A host may stop a process for any time, and nothing can be said of a lookup that was to end within seconds and that
/// was held up for longer. What was seen the last time stands.
///
/// - Parameters:
///   - tolerance: how long a thread may be held up without the outcome being in doubt.
///   - body: what is to be seen; it starts anew with everything that it needs.
public func undisturbed<Seen: Sendable>(
    tolerance: Duration = .milliseconds(200),
    _ body: () async throws -> Seen
) async rethrows -> Seen {
    for _ in 0..<10 {
        let watch = HostWatch()
        let seen = try await body()
        if watch.end() < tolerance { return seen }
    }
    return try await body()
}

/// A thread that does nothing but look how long it is held up.
private final class HostWatch: Sendable {
    private struct State {
        var lastLook = ContinuousClock.now
        var longestDelay = Duration.zero
        var hasEnded = false

        mutating func look() {
            let now = ContinuousClock.now
            longestDelay = max(longestDelay, now - lastLook)
            lastLook = now
        }
    }

    private let state = Mutex(State())

    init() {
        Thread.detachNewThread { [self] in
            while !state.withLock({ $0.hasEnded }) {
                Thread.sleep(forTimeInterval: 0.01)
                state.withLock { $0.look() }
            }
        }
    }

    /// The longest delay so far.
    func end() -> Duration {
        state.withLock { state in
            state.look()
            state.hasEnded = true
            return state.longestDelay
        }
    }
}
