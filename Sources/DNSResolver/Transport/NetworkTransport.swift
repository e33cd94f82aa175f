internal import DNSLookup
internal import NIOCore
internal import Synchronization

/// Asks servers over UDP and TCP, on the loops of an event loop group.
final class NetworkTransport: QueryTransport {
    let health: ServerHealth
    let room: SharedRoom
    let counters = TransportCounters()
    private let loops: [any EventLoop]
    private let transports: [NIOLoopBoundBox<LoopTransport>]
    private let upkeep: Upkeep
    private let peers = Peers()
    private let next = Atomic<UInt64>(0)

    init(
        _ options: ResolverOptions,
        group: any EventLoopGroup,
        health: ServerHealth,
        onRoomChange: @escaping @Sendable (RoomChange) -> Void = { _ in }
    ) {
        self.health = health
        let loops = Array(group.makeIterator())
        self.loops = loops
        let peers = self.peers
        let room = SharedRoom(Room.Size(options), turns: { peers.run($0) }, onChange: onRoomChange)
        self.room = room
        let upkeep = Upkeep(health: health, room: room) { peers.serversAreDown(until: $0) }
        self.upkeep = upkeep
        let counters = self.counters
        transports = loops.map { loop in
            let transport = LoopTransport(
                loop: loop,
                health: health,
                room: room,
                counters: counters,
                wakeUpkeep: { upkeep.wake() }
            )
            return NIOLoopBoundBox.makeBoxSendingValue(transport, eventLoop: loop)
        }
        peers.set(loops, transports)
    }

    func start(
        _ question: DNSQuestion,
        for demand: Demand,
        completion: @escaping @Sendable (QueryOutcome) -> Void
    ) -> QueryHandle {
        let number = next.wrappingAdd(1, ordering: .relaxed).newValue
        // A question from a loop of the group runs on that loop, without a change of thread.
        let index =
            loops.firstIndex { $0.inEventLoop } ?? Int(truncatingIfNeeded: number % UInt64(max(1, loops.count)))
        let transport = transports[index]
        let handle = QueryHandle(loop: index, number: number)
        loops[index].execute {
            transport.value.start(Query(handle: handle, question: question, completion: completion), demand: demand)
        }
        return handle
    }

    func join(_ handle: QueryHandle, asked: Int) { room.join(handle, asked: asked) }

    func isWaiting(_ handle: QueryHandle) -> Bool { room.isWaiting(handle) }

    func cancel(_ handle: QueryHandle) {
        let transport = transports[handle.loop]
        loops[handle.loop].execute { transport.value.cancel(handle) }
    }

    /// Changes servers and times.
    func update(_ options: ResolverOptions) {
        health.update(options)
        room.resize(Room.Size(options))
        for (loop, transport) in zip(loops, transports) { loop.execute { transport.value.prune() } }
    }

    /// Checks whether the servers answer, before a question needs them.
    func check() {
        health.check()
        upkeep.wake()
    }

    func shutdown() async {
        upkeep.stop()
        for (loop, transport) in zip(loops, transports) {
            try? await loop.submit { transport.value.shutdown() }.get()
        }
        peers.set([], [])
    }
}

/// The transports of all loops; each is called on its own loop.
private final class Peers: Sendable {
    private let list = Mutex<[(loop: any EventLoop, transport: NIOLoopBoundBox<LoopTransport>)]>([])

    func set(_ loops: [any EventLoop], _ transports: [NIOLoopBoundBox<LoopTransport>]) {
        list.withLock { $0 = Array(zip(loops, transports)) }
    }

    func run(_ turn: Room.Turn) {
        for handle in turn.begin { with(handle) { $0.begin(handle) } }
        for handle in turn.end { with(handle) { $0.end(handle) } }
    }

    private func with(_ handle: QueryHandle, _ body: @escaping @Sendable (LoopTransport) -> Void) {
        let peer = list.withLock { list in list.indices.contains(handle.loop) ? list[handle.loop] : nil }
        guard let (loop, transport) = peer else { return }
        loop.execute { body(transport.value) }
    }

    func serversAreDown(until end: NIODeadline) {
        for (loop, transport) in list.withLock({ $0 }) { loop.execute { transport.value.serversAreDown(until: end) } }
    }
}
