import NIOCore
import NIOPosix
import Testing

@testable import SMTPClient

@Suite("A client and a socket")
struct SMTPClientTests {
    /// Answers each line as a server would.
    private final class Server: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        func channelActive(context: ChannelHandlerContext) { say("220 mx", context) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            if text.hasPrefix("DATA") { return say("354 go", context) }
            say(text.hasPrefix("QUIT") ? "221 bye" : "250 ok", context)
        }

        private func say(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(NIOAny(ByteBuffer(string: text + "\r\n")), promise: nil)
        }
    }

    private static let loops = MultiThreadedEventLoopGroup.singleton

    private static func message() throws -> SMTPMessage {
        try #require(SMTPMessage(from: [], to: Array("b@example.com".utf8), octets: Array("Subject: x\r\n\r\n".utf8)))
    }

    @Test("a message goes through a socket", arguments: ["127.0.0.1", "localhost"])
    func whole(_ host: String) async throws {
        let server = try await ServerBootstrap(group: Self.loops)
            .childChannelInitializer { $0.pipeline.addHandler(Server()) }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let client = SMTPClient(
            try #require(SMTPServer("\(host):\(port)")),
            hello: "me.example",
            group: Self.loops
        )
        #expect(await client.send(try Self.message()) == .accepted(SMTPReply(code: 250, lines: ["ok"])))
        #expect(await client.greeting() == .accepted(SMTPReply(code: 220, lines: ["mx"])))
        try await server.close().get()
        // Nobody listens any more.
        guard case .deferred(.unreachable(let why), at: .connection) = await client.send(try Self.message()) else {
            return #expect(Bool(false), "somebody listens")
        }
        #expect(why == "Connection refused")
        #expect(await client.greeting() == .deferred(.unreachable(why), at: .connection))
    }

    @Test("a cancelled task does not wait for a silent server")
    func cancelled() async throws {
        let server = try await ServerBootstrap(group: Self.loops).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let client = SMTPClient(try #require(SMTPServer("127.0.0.1:\(port)")), hello: "me.example", group: Self.loops)
        let message = try Self.message()
        let sending = Task { await client.send(message) }
        sending.cancel()
        #expect(await sending.value == .deferred(.closed, at: .greeting))
        try await server.close().get()
    }
}
