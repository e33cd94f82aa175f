internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Checks twice a second for changes that come only with time, as long as any are possible: silent servers, and lookups
/// that wait for room.
final class Upkeep: Sendable {
    private static let interval = TimeAmount.milliseconds(500)
    /// The shared thread.
    ///
    /// If it has no time, no thread has; and work that keeps the lookups' loops busy delays neither our probes nor
    /// their replies.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// The loop of that thread.
    static let sharedLoop: any EventLoop = group.next()

    private let loop = Upkeep.sharedLoop
    private let health: ServerHealth
    private let room: SharedRoom
    private let serversAreDown: @Sendable (NIODeadline) -> Void
    private let isAwake = Atomic(false)
    private let isDown = Atomic(false)
    private let isStopped = Atomic(false)

    init(
        health: ServerHealth,
        room: SharedRoom,
        serversAreDown: @escaping @Sendable (NIODeadline) -> Void
    ) {
        self.health = health
        self.room = room
        self.serversAreDown = serversAreDown
    }

    /// Starts the checks, unless they already run.
    func wake() {
        guard isAwake.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
        loop.execute { self.tick() }
    }

    /// Stops the checks.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    private func tick() {
        // A caller that wakes it from here on may have work that the code below does not see.
        isAwake.store(false, ordering: .sequentiallyConsistent)
        guard !isStopped.load(ordering: .relaxed) else { return }
        let (probes, isSuspicious) = health.tick(at: .now())
        for server in probes { ServerProbe.send(to: server, on: loop, health: health) }
        let downUntil = health.downUntil
        let wasDown = isDown.exchange(downUntil != nil, ordering: .relaxed)
        if let downUntil, !wasDown { serversAreDown(downUntil) }
        let isCrowded = room.tick()
        guard isSuspicious || isCrowded,
            isAwake.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
        else { return }
        loop.scheduleTask(in: Self.interval) { self.tick() }
    }
}
