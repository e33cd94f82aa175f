import DNSLookup
import MailSyntax
import NIOCore
import NIOPosix
import Synchronization

@testable import DNSResolver

/// A query as the scripted server received it.
struct ServedQuery: Sendable {
    let octets: [UInt8]
    let overTCP: Bool
    /// How many queries came before it.
    let number: Int

    var identifier: UInt16 { UInt16(octets[0]) << 8 | UInt16(octets[1]) }

    /// The question section.
    var question: [UInt8] {
        var index = 12
        while octets[index] != 0 { index += 1 + Int(octets[index]) }
        return Array(octets[12..<index + 5])
    }

    var firstLabel: String { String(decoding: octets[13..<13 + Int(octets[12])], as: UTF8.self) }

    /// ARCOUNT is not zero: there is an OPT record.
    var hasEDNS: Bool { octets[11] != 0 }

    func reply(
        code: UInt16 = 0,
        flags: UInt16 = 0x8180,
        _ answers: [Wire.Record] = [],
        authorities: [Wire.Record] = [],
        additional: [Wire.Record] = []
    ) -> [UInt8] {
        Wire(
            identifier: identifier,
            code: code,
            flags: flags,
            question: question,
            answers: answers,
            authorities: authorities,
            additional: additional
        ).octets
    }

    var truncated: [UInt8] { reply(flags: 0x8380) }
    var good: [UInt8] { reply([Wire.text("good")]) }
}

/// What the scripted server does about a query.
enum ServedAction: Sendable {
    case send([UInt8], after: TimeAmount = .zero)
    /// From a port that was not asked.
    case sendFromElsewhere([UInt8])
    /// Octets on the TCP stream as they are, without a length.
    case raw([UInt8])
    case close
}

/// A name server on loopback that does what it is told, over UDP and TCP.
final class ScriptedServer: Sendable {
    typealias Script = @Sendable (ServedQuery) -> [ServedAction]

    private struct State {
        var script: Script
        var queries: [ServedQuery] = []
        var ports: [Int] = []
        var connections = 0
        var probes = 0
        var answersProbes = true
    }

    let port: Int
    private let state: Mutex<State>
    private let channels: [any Channel]

    var server: NameServer { NameServer(.v4(IPv4Address(0x7F00_0001)), port: UInt16(port)) }
    var queries: [ServedQuery] { state.withLock { $0.queries } }
    /// The source ports of the UDP queries.
    var ports: [Int] { state.withLock { $0.ports } }
    var connections: Int { state.withLock { $0.connections } }
    /// How often it was asked who serves the root.
    var probes: Int { state.withLock { $0.probes } }

    /// Whether it answers who serves the root, whatever the script says, or leaves that to the script.
    func answerProbes(_ value: Bool) { state.withLock { $0.answersProbes = value } }

    /// Does something else from now on.
    func follow(_ script: @escaping Script) { state.withLock { $0.script = script } }

    /// Binds one port for both transports: one of those below what the system gives to outgoing sockets, so that the port
    /// can be taken again after a stop.
    static func start(
        host: String = "127.0.0.1",
        port: Int? = nil,
        overTCP: Bool = true,
        _ script: @escaping Script
    ) async throws -> ScriptedServer {
        for _ in 0..<100 {
            let handlers = Handlers()
            let wanted = port ?? .random(in: 10_000..<32_000)
            guard let datagrams = try? await bindUDP(host, wanted, handlers) else { continue }
            var channels: [any Channel] = [datagrams]
            let bound = datagrams.localAddress?.port ?? 0
            if overTCP {
                guard let stream = try? await bindTCP(host, bound, handlers) else {
                    try await datagrams.close()
                    continue
                }
                channels.append(stream)
            }
            let server = ScriptedServer(port: bound, channels: channels, script: script)
            handlers.server.withLock { $0 = server }
            return server
        }
        throw ChannelError.operationUnsupported
    }

    /// A thread for servers alone: what resolvers and other suites do holds up no reply.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private static func bindUDP(_ host: String, _ port: Int, _ handlers: Handlers) async throws -> any Channel {
        try await DatagramBootstrap(group: Self.group)
            .channelOption(.socketOption(.so_rcvbuf), value: 4 << 20)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramHandler(handlers))
                }
            }
            .bind(host: host, port: port).get()
    }

    private static func bindTCP(_ host: String, _ port: Int, _ handlers: Handlers) async throws -> any Channel {
        try await ServerBootstrap(group: Self.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(StreamHandler(handlers))
                }
            }
            .bind(host: host, port: port).get()
    }

    private init(port: Int, channels: [any Channel], script: @escaping Script) {
        self.port = port
        self.channels = channels
        state = Mutex(State(script: script))
    }

    func stop() async {
        for channel in channels { try? await channel.close().get() }
    }

    fileprivate func serve(_ octets: [UInt8], overTCP: Bool, port: Int?) -> [ServedAction] {
        guard octets.count > 16 else { return [] }
        let (query, script) = state.withLock { state -> (ServedQuery, Script) in
            if octets[12] == 0 {
                state.probes += 1
                let probe = ServedQuery(octets: octets, overTCP: overTCP, number: 0)
                let answer: Script = { [.send($0.reply())] }
                return (probe, state.answersProbes ? answer : state.script)
            }
            let query = ServedQuery(octets: octets, overTCP: overTCP, number: state.queries.count)
            state.queries.append(query)
            if !overTCP, let port { state.ports.append(port) }
            return (query, state.script)
        }
        return script(query)
    }

    fileprivate func connected() { state.withLock { $0.connections += 1 } }

    fileprivate final class Handlers: Sendable {
        let server = Mutex<ScriptedServer?>(nil)
    }
}

private final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let handlers: ScriptedServer.Handlers

    init(_ handlers: ScriptedServer.Handlers) { self.handlers = handlers }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let peer = envelope.remoteAddress
        let channel = context.channel
        let server = handlers.server.withLock { $0 }
        let octets = Array(envelope.data.readableBytesView)
        for action in server?.serve(octets, overTCP: false, port: peer.port) ?? [] {
            switch action {
            case .send(let octets, let delay):
                let reply = AddressedEnvelope(remoteAddress: peer, data: ByteBuffer(bytes: octets))
                if delay == .zero {
                    channel.writeAndFlush(reply, promise: nil)
                } else {
                    context.eventLoop.scheduleTask(in: delay) { channel.writeAndFlush(reply, promise: nil) }
                }
            case .sendFromElsewhere(let octets):
                let reply = AddressedEnvelope(remoteAddress: peer, data: ByteBuffer(bytes: octets))
                DatagramBootstrap(group: context.eventLoop).bind(host: "127.0.0.1", port: 0).whenSuccess { other in
                    other.writeAndFlush(reply).whenComplete { _ in other.close(promise: nil) }
                }
            case .raw, .close: break
            }
        }
    }
}

private final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let handlers: ScriptedServer.Handlers
    private var received = ByteBuffer()

    init(_ handlers: ScriptedServer.Handlers) { self.handlers = handlers }

    func channelActive(context: ChannelHandlerContext) {
        handlers.server.withLock { $0 }?.connected()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        received.writeBuffer(&buffer)
        let channel = context.channel
        let server = handlers.server.withLock { $0 }
        while let message = received.readLengthPrefixedSlice(as: UInt16.self) {
            for action in server?.serve(Array(message.readableBytesView), overTCP: true, port: nil) ?? [] {
                switch action {
                case .send(let octets, let delay):
                    var reply = ByteBuffer()
                    reply.writeInteger(UInt16(octets.count))
                    reply.writeBytes(octets)
                    let whole = reply
                    context.eventLoop.scheduleTask(in: delay) { channel.writeAndFlush(whole, promise: nil) }
                case .raw(let octets): channel.writeAndFlush(ByteBuffer(bytes: octets), promise: nil)
                case .close: channel.close(promise: nil)
                case .sendFromElsewhere: break
                }
            }
        }
    }
}
