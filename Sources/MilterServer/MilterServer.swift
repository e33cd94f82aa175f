public import Logging
public import NIOCore
internal import NIOPosix
import Synchronization

/// Serves MTAs by the milter protocol.
///
/// `start` binds the sockets, `drain` ends everything. Sessions are spread over the event loops of the group that the
/// caller gives and keeps.
public final class MilterServer: Sendable {
    /// Why a server cannot start.
    public enum StartError: Error, Hashable, Sendable, CustomStringConvertible {
        /// The service manager passed no socket of this name.
        case noSuchSocket(name: String)

        /// The problem in words.
        public var description: String {
            switch self {
            case .noSuchSocket(let name): "the service manager passed no socket with the name \(name)"
            }
        }
    }

    private struct Listening {
        /// One on each loop.
        let channels: [any Channel]
        let withdraw: (@Sendable () -> Void)?
    }

    private let configuration: MilterServerConfiguration
    private let group: any EventLoopGroup
    private let logger: Logger
    private let makeHandler: @Sendable (MilterSession) -> any MilterSessionHandler
    private let registry: MilterSessionRegistry
    private let executors: [ObjectIdentifier: EventLoopTaskExecutor]
    private let shares: LoopShares
    private let listening = Mutex<[Listening]>([])

    /// A server; `makeHandler` is called on the session's loop, once for every SMTP session.
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
        registry = MilterSessionRegistry(logger: logger)
        var executors: [ObjectIdentifier: EventLoopTaskExecutor] = [:]
        for loop in group.makeIterator() { executors[ObjectIdentifier(loop)] = EventLoopTaskExecutor(loop) }
        self.executors = executors
        shares = LoopShares(loops: executors.count)
    }

    /// What the server has done so far.
    public var statistics: MilterServerStatistics { registry.statistics }

    /// The addresses of the listening sockets, in the order of the listeners.
    public var localAddresses: [SocketAddress] {
        listening.withLock { $0.compactMap { $0.channels.first?.localAddress } }
    }

    /// Binds every socket, or none.
    public func start() async throws {
        let inherited = ServiceManagerSockets()
        do {
            for (number, listener) in configuration.listeners.enumerated() {
                for one in try await listen(listener, number, inherited) { listening.withLock { $0.append(one) } }
            }
        } catch {
            await stopListening()
            throw error
        }
    }

    /// Stops accepting, lets messages in progress end, and closes every connection: one without a message at once, the others
    /// after their answer or when the time is over.
    public func drain(within time: TimeAmount) async {
        await stopListening()
        registry.drain()
        let promise = group.any().makePromise(of: Void.self)
        registry.whenEmpty { promise.succeed() }
        let timer = group.any().scheduleTask(in: time) { [registry] in registry.closeAll() }
        try? await promise.futureResult.get()
        timer.cancel()
    }

    private func stopListening() async {
        let sockets = listening.withLock { sockets in
            defer { sockets = [] }
            return sockets
        }
        for socket in sockets {
            socket.withdraw?()
            for channel in socket.channels { try? await channel.close() }
        }
    }

    /// Binds the sockets of a listener; what goes wrong is told with its name.
    private func listen(
        _ listener: MilterListener,
        _ number: Int,
        _ inherited: ServiceManagerSockets
    ) async throws -> [Listening] {
        do {
            return try await bind(listener, number, inherited)
        } catch let error as StartError {
            throw error
        } catch {
            throw ListeningFailure("\(listener.address)", error)
        }
    }

    private func bind(
        _ listener: MilterListener,
        _ number: Int,
        _ inherited: ServiceManagerSockets
    ) async throws -> [Listening] {
        switch listener.address {
        case .tcp(let host, let port):
            let socket = try ListeningSocket.bound(to: .makeAddressResolvingHost(host, port: Int(port)))
            let (channels, _) = try await accept(from: socket, listener, number) {}
            return [Listening(channels: channels, withdraw: nil)]
        case .unix(let path, let mode, let group):
            let file = UnixListeningSocket(path: path, mode: mode, group: group)
            file.prepare()
            let socket = try ListeningSocket.bound(to: SocketAddress(unixDomainSocketPath: file.temporaryPath))
            do {
                let (channels, identity) = try await accept(from: socket, listener, number) { try file.publish() }
                return [Listening(channels: channels) { file.withdraw(identity) }]
            } catch {
                file.prepare()
                throw error
            }
        case .systemd(let name):
            let descriptors = inherited.named(name)
            guard !descriptors.isEmpty else { throw StartError.noSuchSocket(name: name) }
            var sockets: [Listening] = []
            for descriptor in descriptors {
                let socket = ListeningSocket(takingOwnershipOf: descriptor)
                let (channels, _) = try await accept(from: socket, listener, number) {}
                sockets.append(Listening(channels: channels, withdraw: nil))
            }
            return sockets
        }
    }

    /// Has the loops accept connections of a socket, in turns; `publish` is called when they do.
    private func accept<Published>(
        from socket: borrowing ListeningSocket,
        _ listener: MilterListener,
        _ number: Int,
        publish: () throws -> Published
    ) async throws -> ([any Channel], Published) {
        let turn = AcceptTurn(shares)
        var channels: [any Channel] = []
        do {
            for (place, loop) in group.makeIterator().enumerated() {
                let bootstrap = bootstrap(on: loop, place, turn, for: listener, number)
                channels.append(try await bootstrap.withBoundSocket(socket.duplicate()).get())
            }
            try socket.listen()
            return (channels, try publish())
        } catch {
            for channel in channels { try? await channel.close() }
            throw error
        }
    }

    /// Accepts connections on a loop, the one in this place.
    private func bootstrap(
        on loop: any EventLoop,
        _ place: Int,
        _ turn: AcceptTurn,
        for listener: MilterListener,
        _ number: Int
    ) -> ServerBootstrap {
        ServerBootstrap(group: loop)
            // Those that wait begin together, and share their loop's waits; then it is decided anew whose turn it is.
            .serverChannelOption(.maxMessagesPerRead, value: 4)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        AcceptTurnHandler(turn, loop: place),
                        // With no file descriptor left, accepting waits a second instead of trying all the time.
                        AcceptBackoffHandler(shouldForwardIOErrorCaught: false),
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
        try channel.syncOptions?.setOption(.recvAllocator, value: ReceiveBuffers())
        switch channel.remoteAddress ?? channel.localAddress {
        case .v4, .v6:
            // A message's edits and answer are one write; Nagle's algorithm would hold it back for 40 ms all the same.
            try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
        default: break
        }
        let loop = channel.eventLoop
        let session = MilterSession(
            eventLoop: loop,
            executor: executors[ObjectIdentifier(loop)] ?? EventLoopTaskExecutor(loop),
            listener: listener,
            openConnections: openConnections
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
