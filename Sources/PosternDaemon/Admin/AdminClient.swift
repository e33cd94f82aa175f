internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import SystemPackage

/// Sends requests to a running daemon over its control socket.
public struct AdminClient: Sendable {
    /// Why the daemon could not be reached.
    public struct Unreachable: Error, CustomStringConvertible {
        /// The problem, for people.
        public let description: String
    }

    /// The greatest length of a reply.
    private static let maximumReplyLength = 16 << 20

    private let path: String

    /// A client for the daemon whose control socket is at `path`.
    public init(socket path: String) {
        self.path = path
    }

    /// Sends a request and returns the reply.
    ///
    /// - Returns: whether the daemon did what was requested, and the text of its reply.
    public func request(_ method: String, _ target: String) async throws(Unreachable) -> (succeeded: Bool, text: String)
    {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(5))
                .connect(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                            wrappingChannelSynchronously: channel
                        )
                    }
                }
            return try await channel.executeThenClose { parts, output in
                let head = HTTPRequestHead(
                    version: .http1_1,
                    method: HTTPMethod(rawValue: method),
                    uri: target,
                    headers: ["Host": "postern", "Connection": "close"]
                )
                // In one write: the daemon answers and closes as soon as it has the whole request.
                try await output.write(contentsOf: [.head(head), .end(nil)])
                return try await Self.collect(parts)
            }
        } catch {
            let reason = (error as? IOError).map { Errno(rawValue: $0.errnoCode).description } ?? "\(error)"
            throw Unreachable(
                description:
                    "no daemon answers at \(path): \(reason) (type: systemctl status postern; another socket, as "
                    + "[admin] control names it, is given by --control or --config)"
            )
        }
    }

    private static func collect(
        _ parts: NIOAsyncChannelInboundStream<HTTPClientResponsePart>
    ) async throws -> (succeeded: Bool, text: String) {
        var succeeded = false
        var body = ByteBuffer()
        for try await part in parts {
            switch part {
            case .head(let head): succeeded = (200..<300).contains(head.status.code)
            case .body(var chunk):
                guard body.readableBytes + chunk.readableBytes <= maximumReplyLength else { break }
                body.writeBuffer(&chunk)
            case .end: return (succeeded, String(buffer: body))
            }
        }
        throw Unreachable(description: "the connection was closed before the answer was complete")
    }
}
