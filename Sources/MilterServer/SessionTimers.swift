internal import NIOCore

/// The timers of a connection: they close it when its time is over, and tell an MTA that waits for a verdict that the
/// filter still works.
///
/// Lives on the connection's event loop.
final class SessionTimers {
    private let eventLoop: any EventLoop
    private let configuration: MilterServerConfiguration
    private var patience: SessionPatience
    private var closing: Scheduled<Void>?
    private var progress: Scheduled<Void>?
    private var isEnded = false

    /// Begins the wait for the first packet; nothing happens before `start`.
    init(_ configuration: MilterServerConfiguration, on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.configuration = configuration
        patience = SessionPatience(configuration, now: eventLoop.now)
    }

    /// Closes the connection when its time is over, but not while the MTA waits for an answer.
    ///
    /// - Parameters:
    ///   - isWaiting: whether the MTA waits.
    ///   - close: closes the connection.
    func start(isWaiting: @escaping () -> Bool, close: @escaping () -> Void) {
        patience = SessionPatience(configuration, now: eventLoop.now)
        look(isWaiting, close)
    }

    private func look(_ isWaiting: @escaping () -> Bool, _ close: @escaping () -> Void) {
        let time = patience.nextLook(now: eventLoop.now, isWaiting: isWaiting())
        closing = eventLoop.assumeIsolated().scheduleTask(deadline: time) { [self] in
            guard !isEnded else { return }
            guard isWaiting() || eventLoop.now < patience.closingTime else { return close() }
            look(isWaiting, close)
        }
    }

    /// Notes that octets were received from or sent to the MTA.
    func note() { patience.note(now: eventLoop.now) }

    /// Notes whether a packet has begun and is incomplete, and whether it is another packet than before.
    func notePacket(isBegun: Bool, isAnother: Bool) {
        patience.notePacket(isBegun: isBegun, isAnother: isAnother)
    }

    /// Calls `tell` periodically until `stopProgress`.
    func startProgress(_ tell: @escaping () -> Void) {
        progress = eventLoop.assumeIsolated().scheduleTask(in: configuration.progressInterval) { [self] in
            guard !isEnded else { return }
            tell()
            startProgress(tell)
        }
    }

    /// Stops the calls, because the MTA no longer waits for a verdict.
    func stopProgress() {
        progress?.cancel()
        progress = nil
    }

    /// Stops all timers, because the connection is closed.
    func end() {
        isEnded = true
        closing?.cancel()
        stopProgress()
    }
}
