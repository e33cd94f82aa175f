public import Logging
public import NIOCore
internal import NIOPosix
import Synchronization

/// Serves MTAs over the milter protocol.
///
/// `start` binds the sockets, and `drain` ends the server. The sessions are spread over the event loops of a group that
/// the caller owns.
public final class MilterServer: Sendable {
    /// Why a server cannot start.
    public enum StartError: Error, Hashable, Sendable, CustomStringConvertible {
        /// The service manager passed no socket of this name.
        case noSuchSocket(name: String)

        /// The problem in words.
        public var description: String {
            switch self {
            case .noSuchSocket(let name):
                "the service manager passed no socket with the name \(name)"
                    + (name == "milter" ? " (type: systemctl enable --now postern.socket)" : "")
            }
        }
    }

    /// The sockets of one listener.
    private struct Listening {
        let number: Int
        let listener: MilterListener
        var sockets: [ListeningSocket]
        let file: SocketFile?
        /// The channels that accept connections, one for each socket and loop.
        var channels: [any Channel] = []
    }

    private let configuration: MilterServerConfiguration
    private let group: any EventLoopGroup
    private let logger: Logger
    private let makeHandler: @Sendable (MilterSession) -> any MilterSessionHandler
    private let registry: MilterSessionRegistry
    /// The memory that all sessions share.
    public let memory: SessionMemory
    private let executors: [ObjectIdentifier: EventLoopTaskExecutor]
    private let shares: LoopShares
    private let listening = Mutex<[Listening]>([])

    /// A server; `makeHandler` is called on the session's loop, once for each SMTP session.
    public init(
        configuration: MilterServerConfiguration,
        group: any EventLoopGroup,
        logger: Logger,
        makeHandler: @escaping @Sendable (MilterSession) -> any MilterSessionHandler
    ) {
        self.configuration = configuration
        self.group = group
        self.logger = logger
        self.makeHandler = makeHandler
        registry = MilterSessionRegistry(logger: logger, maximumConnections: configuration.maximumConnections)
        memory = SessionMemory(limit: configuration.maximumHeldOctets, logger: logger)
        var executors: [ObjectIdentifier: EventLoopTaskExecutor] = [:]
        for loop in group.makeIterator() { executors[ObjectIdentifier(loop)] = EventLoopTaskExecutor(loop) }
        self.executors = executors
        shares = LoopShares(loops: executors.count)
    }

    /// The statistics since the start.
    public var statistics: MilterServerStatistics { registry.statistics }

    /// The addresses of the listening sockets, in the order of the listeners.
    public var localAddresses: [SocketAddress] {
        listening.withLock { $0.compactMap { $0.channels.first?.localAddress } }
    }

    /// Opens all sockets, or none.
    public func start() async throws {
        try await [self as any SocketServer].open()
    }

    /// Stops accepting, lets messages in progress finish, and closes every connection.
    ///
    /// A connection without a message is closed at once, other connections after their answer or when the time is over.
    public func drain(within time: TimeAmount) async {
        await stopListening()
        registry.drain()
        let promise = group.any().makePromise(of: Void.self)
        registry.whenEmpty { promise.succeed() }
        let timer = group.any().scheduleTask(in: time) { [registry] in registry.closeAll() }
        try? await promise.futureResult.get()
        timer.cancel()
    }
}

extension MilterServer: SocketServer {
    package var files: [SocketFile] { listening.withLock { $0.compactMap(\.file) } }

    package func bind(takingOver: Bool) throws {
        let inherited = ServiceManagerSockets()
        for (number, listener) in configuration.listeners.enumerated() {
            let bound = try bind(listener, number, inherited, takingOver: takingOver)
            listening.withLock { $0.append(bound) }
        }
    }

    package func listen() async throws {
        var accepting: [Listening] = []
        do {
            for bound in listening.withLock({ $0 }) { try await accepting.append(accept(bound)) }
        } catch {
            for channel in accepting.flatMap(\.channels) { try? await channel.close() }
            throw error
        }
        listening.withLock { $0 = accepting }
    }

    package func stopListening() async {
        let stopped = listening.withLock { listening in
            defer { listening = [] }
            return listening
        }
        for one in stopped {
            one.file?.withdraw()
            for channel in one.channels { try? await channel.close() }
        }
    }

    /// Lets the loops take turns in accepting connections from a listener's sockets.
    private func accept(_ bound: Listening) async throws -> Listening {
        var channels: [any Channel] = []
        do {
            for socket in bound.sockets {
                let turn = AcceptTurn(shares)
                for (place, loop) in group.makeIterator().enumerated() {
                    let bootstrap = bootstrap(on: loop, place, turn, for: bound.listener, bound.number)
                    channels.append(try await bootstrap.withBoundSocket(socket.duplicate()).get())
                }
                try socket.listen()
            }
        } catch {
            for channel in channels { try? await channel.close() }
            throw ListeningFailure("\(bound.listener.address)", error)
        }
        var accepting = bound
        accepting.channels = channels
        // The channels have their own descriptors.
        accepting.sockets = []
        return accepting
    }

    /// Binds the sockets of a listener; an error contains its name.
    private func bind(
        _ listener: MilterListener,
        _ number: Int,
        _ inherited: ServiceManagerSockets,
        takingOver: Bool
    ) throws -> Listening {
        var file: SocketFile?
        do {
            let sockets: [ListeningSocket]
            switch listener.address {
            case .tcp(let host, let port):
                sockets = [try .bound(to: .makeAddressResolvingHost(host, port: Int(port)))]
            case .unix(let path, let mode, let group):
                let named = SocketFile(path: path, mode: mode, group: group)
                sockets = [try named.bind(takingOver: takingOver)]
                file = named
            case .systemd(let name):
                sockets = inherited.named(name).map { ListeningSocket(takingOwnershipOf: $0) }
                guard !sockets.isEmpty else { throw StartError.noSuchSocket(name: name) }
            }
            return Listening(number: number, listener: listener, sockets: sockets, file: file)
        } catch let error as StartError {
            throw error
        } catch {
            throw ListeningFailure("\(listener.address)", error)
        }
    }
}

extension MilterServer {
    /// Accepts connections on the loop with this index.
    private func bootstrap(
        on loop: any EventLoop,
        _ place: Int,
        _ turn: AcceptTurn,
        for listener: MilterListener,
        _ number: Int
    ) -> ServerBootstrap {
        ServerBootstrap(group: loop)
            // Waiting connections begin together and share one poll of their loop; then the next turn is decided.
            .serverChannelOption(.maxMessagesPerRead, value: 4)
            .serverChannelInitializer { [registry] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        AcceptTurnHandler(turn, loop: place),
                        AcceptPauseHandler {
                            registry.reportShortage()
                            return false
                        },
                    ])
                }
            }
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    shares.count(1, on: place)
                    channel.closeFuture.whenComplete { [shares] _ in shares.count(-1, on: place) }
                    try initialize(channel, listener, number)
                }
            }
    }

    private func initialize(_ channel: any Channel, _ listener: MilterListener, _ number: Int) throws {
        let (admission, openConnections) = registry.add(channel, of: listener, number)
        guard admission != .close else { return channel.close(promise: nil) }
        try channel.syncOptions?.setOption(.recvAllocator, value: ReceiveBuffers(registry))
        switch channel.remoteAddress ?? channel.localAddress {
        case .v4, .v6:
            // Modifications and answer of a message are one write; Nagle's algorithm would still delay it by 40 ms.
            try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
        default: break
        }
        let loop = channel.eventLoop
        let session = MilterSession(
            eventLoop: loop,
            executor: executors[ObjectIdentifier(loop)] ?? EventLoopTaskExecutor(loop),
            listener: listener,
            openConnections: openConnections,
            memory: memory
        )
        let registry = registry
        let makeHandler = makeHandler
        let handler = MilterChannelHandler(
            session: session,
            configuration: configuration,
            registry: registry,
            makeHandler: admission == .refuse ? { _ in RefusingHandler() } : { makeHandler($0) }
        )
        try channel.pipeline.syncOperations.addHandler(handler)
    }
}
