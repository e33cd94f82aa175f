internal import NIOCore

/// The timers of a connection: it is closed when its time is over, and the MTA that waits for a verdict hears that work
/// goes on.
///
/// Lives on the connection's event loop.
final class SessionTimers {
    private let eventLoop: any EventLoop
    private let configuration: MilterServerConfiguration
    private var patience: SessionPatience
    private var closing: Scheduled<Void>?
    private var progress: Scheduled<Void>?
    private var isEnded = false

    /// Begins to wait for the first packet; nothing happens before `start`.
    init(_ configuration: MilterServerConfiguration, on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.configuration = configuration
        patience = SessionPatience(configuration, now: eventLoop.now)
    }

    /// Has the connection closed when its time is over, but not while the MTA waits for an answer.
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

    /// Notes that the MTA said or was told something.
    func note() { patience.note(now: eventLoop.now) }

    /// Notes whether a packet is begun and not complete, and whether it is another than before.
    func notePacket(isBegun: Bool, isAnother: Bool) {
        patience.notePacket(isBegun: isBegun, isAnother: isAnother)
    }

    /// Calls again and again until `stopProgress`.
    func startProgress(_ tell: @escaping () -> Void) {
        progress = eventLoop.assumeIsolated().scheduleTask(in: configuration.progressInterval) { [self] in
            guard !isEnded else { return }
            tell()
            startProgress(tell)
        }
    }

    /// Nobody waits for a verdict any more.
    func stopProgress() {
        progress?.cancel()
        progress = nil
    }

    /// The connection is closed.
    func end() {
        isEnded = true
        closing?.cancel()
        stopProgress()
    }
}
