internal import Logging
internal import MilterServer
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import PosternConfiguration
internal import ServiceLifecycle
internal import Synchronization

/// Answers HTTP on one socket: one request for each connection, small and rarely used.
final class AdminServer: Service, SocketServer {
    /// The address of the socket.
    enum Address: Sendable, CustomStringConvertible {
        /// A unix socket that only its owner may use.
        case unix(String)
        /// A port.
        case tcp(AddressAndPort)

        /// The socket and the setting that names it.
        var description: String {
            switch self {
            case .unix(let path): "the control socket \(path) (admin.control)"
            case .tcp(let place): "\(place) (admin.listen)"
            }
        }
    }

    /// Answers a request.
    typealias Answer = @Sendable (AdminRequest) async -> AdminResponse

    private struct Listening {
        var socket: ListeningSocket?
        var file: SocketFile?
        var channel: (any Channel)?
    }

    private let address: Address
    private let group: any EventLoopGroup
    private let requestTime: TimeAmount
    private let connections: AdminConnections
    private let spare: SpareDescriptors
    private let answer: Answer
    private let whenMissing: (@Sendable (String) -> Void)?
    private let listening = Mutex(Listening())

    /// A server that does not listen yet.
    ///
    /// - Parameters:
    ///   - address: the address of the socket.
    ///   - group: the event loops for its connections.
    ///   - maximumConnections: the most connections that may be open.
    ///   - requestTime: how long a client may take to send its request.
    ///   - whenMissing: called with the reason when the server cannot listen; nil when the daemon cannot do without the
    ///     server.
    ///   - answer: answers a request.
    init(
        _ address: Address,
        group: any EventLoopGroup,
        maximumConnections: Int,
        requestTime: TimeAmount = .seconds(10),
        whenMissing: (@Sendable (_ reason: String) -> Void)? = nil,
        answer: @escaping Answer
    ) {
        self.address = address
        self.group = group
        self.requestTime = requestTime
        self.whenMissing = whenMissing
        self.answer = answer
        connections = AdminConnections(most: maximumConnections)
        spare = SpareDescriptors()
    }

    /// Answers until the daemon stops.
    func run() async throws {
        try? await gracefulShutdown()
        await stopListening()
    }
}

// MARK: Sockets

extension AdminServer {
    var files: [SocketFile] { listening.withLock { $0.file.map { [$0] } ?? [] } }

    func bind(takingOver: Bool) throws {
        do {
            switch address {
            case .tcp(let place):
                let address = try NIOCore.SocketAddress(ipAddress: "\(place.address)", port: Int(place.port))
                let socket = try ListeningSocket.bound(to: address)
                listening.withLock { $0.socket = socket }
            case .unix(let path):
                let file = SocketFile(path: path, mode: 0o600, group: nil)
                let socket = try file.bind(takingOver: takingOver)
                listening.withLock { $0 = Listening(socket: socket, file: file) }
            }
        } catch {
            let failure = ListeningFailure("\(address)", error)
            guard let whenMissing else { throw failure }
            whenMissing(failure.reason)
        }
    }

    func listen() async throws {
        guard let socket = listening.withLock({ $0.socket.take() }) else { return }
        do {
            let channel = try await bootstrap.withBoundSocket(socket.duplicate()).get()
            listening.withLock { $0.channel = channel }
            try socket.listen()
        } catch {
            throw ListeningFailure("\(address)", error)
        }
    }

    func stopListening() async {
        let stopped = listening.withLock { listening in
            defer { listening = Listening() }
            return listening
        }
        stopped.file?.withdraw()
        try? await stopped.channel?.close()
    }

    private var bootstrap: ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelInitializer { [spare] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPauseHandler(makeRoom: spare.lend))
                }
            }
            .childChannelInitializer { [connections, spare, requestTime, answer] channel in
                channel.eventLoop.makeCompletedFuture {
                    connections.add(channel)
                    channel.closeFuture.whenComplete { _ in
                        connections.remove(channel)
                        spare.refill()
                    }
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(AdminConnection(requestTime: requestTime, answer: answer))
                }
            }
    }
}
