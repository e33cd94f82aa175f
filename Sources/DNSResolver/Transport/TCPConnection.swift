internal import NIOCore
internal import NIOPosix

/// A TCP connection to a server, kept for several questions (RFC 7766); lives on one event loop.
final class TCPConnection: AttemptCarrier {
    /// How many questions may wait on one connection before another connection is opened.
    private static let mostPending = 100
    /// How many useless messages in a row are tolerated; a server that sends more wants to keep us busy.
    private static let mostUseless = 8

    let server: NameServer
    let isStream = true
    var pending: [UInt16: Attempt] = [:]
    private var channel: (any Channel)?
    private var unsent: [ByteBuffer] = []
    private var idle: Scheduled<Void>?
    /// Whether the connection has served a question; if so, the next question is not the reason when it closes.
    private var hasServed = false
    private var useless = 0
    private(set) var isClosed = false
    var isSlow = false
    private let owner: any AttemptOwner

    init(to server: NameServer, of owner: any AttemptOwner) {
        self.server = server
        self.owner = owner
    }

    /// Whether the connection accepts new questions.
    var isUsable: Bool { !isClosed && !isSlow && pending.count < Self.mostPending }

    func open(timeout: TimeAmount) {
        guard let address = server.socketAddress else { return closed() }
        let bound = NIOLoopBound(self, eventLoop: owner.loop)
        ClientBootstrap(group: owner.loop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(StreamReceiver(bound.value))
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let channel): self.opened(channel)
                case .failure: self.closed()
                }
            }
    }

    private func opened(_ channel: any Channel) {
        guard !isClosed else { return channel.close(promise: nil) }
        self.channel = channel
        for message in unsent { channel.writeAndFlush(message, promise: nil) }
        unsent = []
        attemptEnded()
    }

    func send(_ attempt: Attempt) {
        guard !isClosed else { return owner.disconnected(attempt, wasReused: false) }
        idle?.cancel()
        pending[attempt.message.identifier] = attempt
        attempt.carrier = self
        // RFC 1035 § 4.2.2: the message is prefixed with a two-octet length; RFC 7766 § 8: sent together with it.
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt16(truncatingIfNeeded: attempt.message.octets.count))
        buffer.writeBytes(attempt.message.octets)
        if let channel { channel.writeAndFlush(buffer, promise: nil) } else { unsent.append(buffer) }
    }

    func receive(_ message: [UInt8]) {
        guard !isClosed else { return }
        guard let attempt = take(message) else {
            owner.droppedMessage()
            useless += 1
            if useless > Self.mostUseless { close() }
            return
        }
        hasServed = true
        useless = 0
        owner.received(message, for: attempt, overTCP: true)
        attemptEnded()
    }

    /// Starts the idle time when no question waits for the connection.
    func attemptEnded() {
        guard pending.isEmpty else { return }
        guard !isSlow else { return close() }
        idle?.cancel()
        idle = owner.loop.assumeIsolated().scheduleTask(in: owner.idleTimeout) { self.close() }
    }

    func close() {
        channel?.close(promise: nil)
        closed()
    }

    func closed() {
        guard !isClosed else { return }
        isClosed = true
        channel = nil
        idle?.cancel()
        owner.closed(self)
        for attempt in takeAll() { owner.disconnected(attempt, wasReused: hasServed) }
    }
}

/// Splits the stream into messages.
private final class StreamReceiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: TCPConnection
    /// Holds at most one message, of 65,535 octets, and the octets that were read after it.
    private var received = ByteBuffer()

    init(_ connection: TCPConnection) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        received.writeBuffer(&buffer)
        while let message = received.readLengthPrefixedSlice(as: UInt16.self) {
            connection.receive(Array(message.readableBytesView))
        }
        received.discardReadBytes()
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.closed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
