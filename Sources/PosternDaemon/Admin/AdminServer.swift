internal import Logging
internal import MilterServer
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import PosternConfiguration
internal import ServiceLifecycle
internal import Synchronization

/// A request to the daemon about itself.
struct AdminRequest: Sendable {
    let method: HTTPMethod
    /// The path without the query.
    let path: String
}

/// The reply to a request.
struct AdminResponse: Sendable {
    var status: HTTPResponseStatus = .ok
    var contentType = "text/plain; charset=utf-8"
    var body: String
}

/// Answers HTTP on one socket: one request a connection, small and rarely used.
struct AdminServer: Service {
    /// Where it listens.
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

    let address: Address
    let group: any EventLoopGroup
    let logger: Logger
    let answer: @Sendable (AdminRequest) async -> AdminResponse

    /// A connection is closed this long after it was accepted, whatever happens on it.
    private static let patience = TimeAmount.seconds(10)
    /// How many connections may be open; more are closed at once.
    private static let mostConnections = 32

    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>
    private typealias Listener = NIOAsyncChannel<Connection, Never>

    func run() async throws {
        let (server, withdraw): (Listener, () -> Void)
        do { (server, withdraw) = try await listen() } catch { throw ListeningFailure("\(address)", error) }
        defer { withdraw() }
        try await serve(server)
    }

    /// Listens, and tells how what that leaves is taken away.
    private func listen() async throws -> (Listener, withdraw: () -> Void) {
        switch address {
        case .tcp(let place):
            let address = try NIOCore.SocketAddress(ipAddress: "\(place.address)", port: Int(place.port))
            return (try await bind(to: address), {})
        case .unix(let path):
            let file = UnixListeningSocket(path: path, mode: 0o600, group: nil)
            file.prepare()
            let server = try await bind(to: NIOCore.SocketAddress(unixDomainSocketPath: file.temporaryPath))
            do {
                let identity = try file.publish()
                return (server, { file.withdraw(identity) })
            } catch {
                try? await server.executeThenClose { _ in }
                file.prepare()
                throw error
            }
        }
    }

    private func bind(to address: NIOCore.SocketAddress) async throws -> Listener {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 16)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(HTTPResponseParts())
                    let deadline = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
                    channel.closeFuture.whenComplete { _ in deadline.cancel() }
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
    }

    private func serve(_ server: Listener) async throws {
        try await withGracefulShutdownHandler {
            try await converse(server)
        } onGracefulShutdown: {
            server.channel.close(promise: nil)
        }
    }

    private func converse(_ server: Listener) async throws {
        let open = OpenConnections()
        try await withThrowingDiscardingTaskGroup { tasks in
            try await server.executeThenClose { connections in
                for try await connection in connections {
                    let isWelcome = open.count.add(1, ordering: .relaxed).newValue <= Self.mostConnections
                    tasks.addTask {
                        if isWelcome {
                            await converse(connection)
                        } else {
                            try? await connection.executeThenClose { _, _ in }
                        }
                        open.count.subtract(1, ordering: .relaxed)
                    }
                }
            }
        }
    }

    /// Takes one request and answers it; whatever goes wrong ends this connection alone.
    private func converse(_ connection: Connection) async {
        do {
            try await connection.executeThenClose { parts, output in
                for try await part in parts {
                    guard case .head(let head) = part else { continue }
                    let path = head.uri.prefix { $0 != "?" }
                    let response = await answer(AdminRequest(method: head.method, path: String(path)))
                    try await Self.write(response, to: output)
                    return
                }
            }
        } catch {
            logger.debug("an administration connection ended early: \(error)")
        }
    }

    private static func write(
        _ response: AdminResponse,
        to output: NIOAsyncChannelOutboundWriter<HTTPPart<HTTPResponseHead, ByteBuffer>>
    ) async throws {
        let headers: HTTPHeaders = [
            "Content-Type": response.contentType,
            "Content-Length": String(response.body.utf8.count),
            "Connection": "close",
        ]
        try await output.write(.head(HTTPResponseHead(version: .http1_1, status: response.status, headers: headers)))
        try await output.write(.body(ByteBuffer(string: response.body)))
        try await output.write(.end(nil))
    }
}

/// Counts the connections of a server.
private final class OpenConnections: Sendable {
    let count = Atomic(0)
}

/// Turns response parts with a `ByteBuffer` into those that the HTTP encoder takes.
private final class HTTPResponseParts: ChannelOutboundHandler {
    typealias OutboundIn = HTTPPart<HTTPResponseHead, ByteBuffer>
    typealias OutboundOut = HTTPServerResponsePart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: HTTPServerResponsePart =
            switch unwrapOutboundIn(data) {
            case .head(let head): .head(head)
            case .body(let buffer): .body(.byteBuffer(buffer))
            case .end(let trailers): .end(trailers)
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}

extension AdminServer {
    /// The servers that a configuration asks for: the control socket, and a port for metrics and health.
    static func servers(
        _ settings: Configuration.Admin,
        group: any EventLoopGroup,
        logger: Logger,
        router: AdminRouter
    ) -> [AdminServer] {
        var servers = [AdminServer]()
        if !settings.control.isEmpty {
            // Whoever may write to it can have the configuration reloaded, and reads envelopes.
            servers.append(
                AdminServer(
                    address: .unix(settings.control),
                    group: group,
                    logger: logger,
                    answer: router.answerControl
                )
            )
        }
        if let listen = settings.listen {
            servers.append(
                AdminServer(address: .tcp(listen), group: group, logger: logger, answer: router.answerPublic)
            )
        }
        return servers
    }
}
