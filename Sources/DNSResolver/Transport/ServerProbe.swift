internal import NIOCore
internal import NIOPosix

/// Our own question to a server, on its own socket: every server knows the name servers of the root.
final class ServerProbe: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    /// How long a reply is accepted; the next probes are sent meanwhile.
    private static let patience = TimeAmount.seconds(2)

    private let server: NameServer
    private let health: ServerHealth
    private let message: QueryMessage

    private init(_ message: QueryMessage, server: NameServer, health: ServerHealth) {
        self.message = message
        self.server = server
        self.health = health
    }

    /// Probes a server, and reports the result to its health.
    static func send(to server: NameServer, on loop: any EventLoop, health: ServerHealth) {
        guard let address = server.socketAddress,
            let message = QueryMessage.ofRoot(identifier: .random(in: .min ... .max))
        else { return }
        DatagramBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let probe = ServerProbe(message, server: server, health: health)
                    try channel.pipeline.syncOperations.addHandler(probe)
                }
            }
            .connect(to: address)
            .whenSuccess { channel in
                channel.writeAndFlush(ByteBuffer(bytes: message.octets), promise: nil)
                channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
            }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let reply = Array(unwrapInboundIn(data).data.readableBytesView)
        guard message.isAnswered(by: reply), let code = MessageHeader(reply)?.code else { return }
        health.probeReplied(server, isUseful: code == .noError || code == .nameError)
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !error.isShortage { health.closed(server, at: .now()) }
        context.close(promise: nil)
    }
}
