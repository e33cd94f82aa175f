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
        let channel: any Channel
        let withdraw: (@Sendable () -> Void)?
    }

    private let configuration: MilterServerConfiguration
    private let group: any EventLoopGroup
    private let logger: Logger
    private let makeHandler: @Sendable (MilterSession) -> any MilterSessionHandler
    private let registry: MilterSessionRegistry
    private let executors: [ObjectIdentifier: EventLoopTaskExecutor]
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
    }

    /// What the server has done so far.
    public var statistics: MilterServerStatistics { registry.statistics }

    /// The addresses of the listening sockets, in the order of the listeners.
    public var localAddresses: [SocketAddress] {
        listening.withLock { $0.compactMap { $0.channel.localAddress } }
    }

    /// Binds every socket, or none.
    public func start() async throws {
        let inherited = ServiceManagerSockets()
        do {
            for (number, listener) in configuration.listeners.enumerated() {
                for one in try await bind(listener, number, inherited) { listening.withLock { $0.append(one) } }
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
            try? await socket.channel.close()
        }
    }

    private func bind(
        _ listener: MilterListener,
        _ number: Int,
        _ inherited: ServiceManagerSockets
    ) async throws -> [Listening] {
        let bootstrap = bootstrap(for: listener, number)
        switch listener.address {
        case .tcp(let host, let port):
            return [Listening(channel: try await bootstrap.bind(host: host, port: Int(port)).get(), withdraw: nil)]
        case .unix(let path, let mode, let group):
            let file = UnixListeningSocket(path: path, mode: mode, group: group)
            file.prepare()
            let channel = try await bootstrap.bind(unixDomainSocketPath: file.temporaryPath).get()
            do {
                let identity = try file.publish()
                return [Listening(channel: channel) { file.withdraw(identity) }]
            } catch {
                try? await channel.close()
                file.prepare()
                throw error
            }
        case .systemd(let name):
            let descriptors = inherited.named(name)
            guard !descriptors.isEmpty else { throw StartError.noSuchSocket(name: name) }
            var sockets: [Listening] = []
            for descriptor in descriptors {
                sockets.append(Listening(channel: try await bootstrap.withBoundSocket(descriptor).get(), withdraw: nil))
            }
            return sockets
        }
    }

    private func bootstrap(for listener: MilterListener, _ number: Int) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                // With no file descriptor left, accepting waits a second instead of trying all the time.
                channel.eventLoop.makeCompletedFuture {
                    let backoff = AcceptBackoffHandler(shouldForwardIOErrorCaught: false)
                    try channel.pipeline.syncOperations.addHandler(backoff)
                }
            }
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try initialize(channel, listener, number) }
            }
    }

    private func initialize(_ channel: any Channel, _ listener: MilterListener, _ number: Int) throws {
        let admission = registry.add(channel, of: listener, number)
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
            listener: listener
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
