internal import Glibc
internal import NIOCore
internal import NIOPosix

/// A connected UDP socket that carries a few questions and is then replaced; lives on one event loop.
///
/// RFC 5452 § 9.2: the source port must be unpredictable. The kernel chooses it at random from its whole range, and
/// drops datagrams that do not come from the server's address and port.
final class UDPSocket: AttemptCarrier {
    /// How many questions leave from one port.
    ///
    /// One socket for each question costs three times the processor time, and a port with such a short life is no
    /// easier to guess together with the identifier.
    static let questionsPerSocket = 16
    /// A port is not used for new questions after this time.
    static let lifetime = TimeAmount.seconds(5)

    let server: NameServer
    let isStream = false
    var pending: [UInt16: Attempt] = [:]
    private let opened = NIODeadline.now()
    private var remaining: Int
    /// Unused: a late datagram does not delay others.
    var isSlow = false
    private var channel: (any Channel)?
    private var unsent: [ByteBuffer] = []
    private var failure: (any Error)?
    private let owner: any AttemptOwner

    init(to server: NameServer, of owner: any AttemptOwner) {
        self.server = server
        self.owner = owner
        // The number of questions varies from port to port.
        remaining = Int.random(in: Self.questionsPerSocket / 2...Self.questionsPerSocket)
    }

    /// Whether the socket accepts new questions.
    var isUsable: Bool { remaining > 0 && failure == nil && NIODeadline.now() - opened < Self.lifetime }

    func open() {
        guard let address = server.socketAddress else { return fail(ChannelError.unknownLocalAddress) }
        let bound = NIOLoopBound(self, eventLoop: owner.loop)
        DatagramBootstrap(group: owner.loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramReceiver(bound.value))
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let channel): self.opened(channel)
                case .failure(let error): self.fail(error)
                }
            }
    }

    private func opened(_ channel: any Channel) {
        self.channel = channel
        for message in unsent { channel.writeAndFlush(message, promise: nil) }
        unsent = []
        attemptEnded()
    }

    func send(_ attempt: Attempt) {
        if let failure { return fail(attempt, failure) }
        remaining -= 1
        pending[attempt.message.identifier] = attempt
        attempt.carrier = self
        let buffer = ByteBuffer(bytes: attempt.message.octets)
        if let channel { channel.writeAndFlush(buffer, promise: nil) } else { unsent.append(buffer) }
    }

    func receive(_ message: [UInt8]) {
        guard let attempt = take(message) else { return owner.droppedMessage() }
        owner.received(message, for: attempt, overTCP: false)
        attemptEnded()
    }

    /// Closes a socket that has carried its share of questions, when no question waits for it.
    func attemptEnded() {
        guard pending.isEmpty, !isUsable else { return }
        channel?.close(promise: nil)
        channel = nil
    }

    /// Ends the socket: the server's port is closed, or this host has no socket.
    func fail(_ error: any Error) {
        failure = failure ?? error
        for attempt in takeAll() { fail(attempt, error) }
        attemptEnded()
    }

    private func fail(_ attempt: Attempt, _ error: any Error) {
        if error.isShortage { owner.lackedRoom(attempt) } else { owner.unreachable(attempt) }
    }

    func close() {
        remaining = 0
        attemptEnded()
    }
}

/// Passes datagrams and errors to the socket's owner.
private final class DatagramReceiver: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let socket: UDPSocket

    init(_ socket: UDPSocket) {
        self.socket = socket
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        socket.receive(Array(unwrapInboundIn(data).data.readableBytesView))
    }

    // An ICMP message of the server's host says that the port is closed: the channel reports an error, and may close.
    func channelInactive(context: ChannelHandlerContext) {
        socket.fail(ChannelError.eof)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        socket.fail(error)
    }
}

extension Error {
    /// Whether this host has no socket, port or memory left; such an error says nothing about a server.
    var isShortage: Bool {
        guard let error = self as? IOError else { return false }
        return [EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN, EADDRNOTAVAIL].contains(error.errnoCode)
    }
}
