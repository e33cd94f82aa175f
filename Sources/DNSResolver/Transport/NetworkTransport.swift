internal import DNSLookup
internal import NIOCore
internal import Synchronization

/// What the transport has done; each counter only grows.
final class TransportCounters: Sendable {
    let queries = Atomic(0)
    let queriesOverTCP = Atomic(0)
    let timeouts = Atomic(0)
    let dropped = Atomic(0)
}

/// Asks servers over UDP and TCP, on the loops of a group.
final class NetworkTransport: QueryTransport {
    let health: ServerHealth
    let counters = TransportCounters()
    private let loops: [any EventLoop]
    private let transports: [NIOLoopBoundBox<LoopTransport>]
    private let next = Atomic<UInt64>(0)

    init(_ options: ResolverOptions, group: any EventLoopGroup, health: ServerHealth) {
        self.health = health
        let loops = Array(group.makeIterator())
        self.loops = loops
        let counters = self.counters
        transports = loops.map { loop in
            let transport = LoopTransport(
                loop: loop,
                health: health,
                counters: counters,
                mostQueries: Self.share(of: options, among: loops)
            )
            return NIOLoopBoundBox.makeBoxSendingValue(transport, eventLoop: loop)
        }
    }

    func start(_ question: DNSQuestion, completion: @escaping @Sendable (QueryOutcome) -> Void) -> QueryHandle {
        let number = next.wrappingAdd(1, ordering: .relaxed).newValue
        // Whoever asks from a loop of the group is served there, without a change of thread.
        let index =
            loops.firstIndex { $0.inEventLoop } ?? Int(truncatingIfNeeded: number % UInt64(max(1, loops.count)))
        let transport = transports[index]
        loops[index].execute { transport.value.start(number: number, question: question, completion: completion) }
        return QueryHandle(loop: index, number: number)
    }

    func cancel(_ handle: QueryHandle) {
        let transport = transports[handle.loop]
        loops[handle.loop].execute { transport.value.cancel(number: handle.number) }
    }

    /// Takes other servers or times.
    func update(_ options: ResolverOptions) {
        health.update(options)
        let mostQueries = Self.share(of: options, among: loops)
        for (loop, transport) in zip(loops, transports) {
            loop.execute { transport.value.update(mostQueries: mostQueries) }
        }
    }

    /// How many queries each loop may have under way.
    private static func share(of options: ResolverOptions, among loops: [any EventLoop]) -> Int {
        options.maximumInFlight / max(1, loops.count)
    }

    func shutdown() async {
        for (loop, transport) in zip(loops, transports) {
            try? await loop.submit { transport.value.shutdown() }.get()
        }
    }
}
