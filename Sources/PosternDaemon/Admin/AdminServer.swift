internal import Logging
internal import MilterServer
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import PosternConfiguration
internal import ServiceLifecycle

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
    enum Address: Sendable {
        /// A unix socket that only its owner may use.
        case unix(String)
        /// A port.
        case tcp(NIOCore.SocketAddress)
    }

    let address: Address
    let group: any EventLoopGroup
    let logger: Logger
    let answer: @Sendable (AdminRequest) async -> AdminResponse

    /// A connection on which nothing happens for this long is closed.
    private static let patience = TimeAmount.seconds(10)

    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>
    private typealias Listener = NIOAsyncChannel<Connection, Never>

    func run() async throws {
        switch address {
        case .tcp(let address): try await serve(try await bind(to: address))
        case .unix(let path):
            let file = UnixListeningSocket(path: path, mode: 0o600, group: nil)
            file.prepare()
            let server = try await bind(to: NIOCore.SocketAddress(unixDomainSocketPath: file.temporaryPath))
            let identity = try file.publish()
            defer { file.withdraw(identity) }
            try await serve(server)
        }
    }

    private func bind(to address: NIOCore.SocketAddress) async throws -> Listener {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 16)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(allTimeout: Self.patience))
                    try pipeline.addHandler(CloseWhenIdle())
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(HTTPResponseParts())
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
        try await withThrowingDiscardingTaskGroup { tasks in
            try await server.executeThenClose { connections in
                for try await connection in connections {
                    tasks.addTask { await converse(connection) }
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

/// Closes a connection on which nothing happens.
private final class CloseWhenIdle: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
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
    ) throws -> [AdminServer] {
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
            let address = try NIOCore.SocketAddress(ipAddress: "\(listen.address)", port: Int(listen.port))
            servers.append(
                AdminServer(address: .tcp(address), group: group, logger: logger, answer: router.answerPublic)
            )
        }
        return servers
    }
}
