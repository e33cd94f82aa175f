import Logging
import MilterProtocol
import NIOCore
import NIOEmbedded

@testable import MilterServer

/// The octets of text.
func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A packet.
func packet(_ command: Character, _ data: [UInt8] = []) -> [UInt8] {
    let length = UInt32(data.count + 1)
    let head = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> UInt32($0)) }
    return head + octets(String(command)) + data
}

/// A packet with text.
func packet(_ command: Character, _ text: String) -> [UInt8] { packet(command, octets(text)) }

/// What Postfix and Sendmail offer.
let offer = packet("O", [0, 0, 0, 6, 0, 0, 1, 0xFF, 0, 0x1F, 0xFF, 0xFF])

/// The packets of a stream: command letter and data, as text.
func packets(_ stream: [UInt8]) -> [String] {
    var rest = stream[...]
    var packets: [String] = []
    while rest.count >= 5 {
        let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        packets.append(String(decoding: rest.dropFirst(4).prefix(length), as: UTF8.self))
        rest = rest.dropFirst(4 + length)
    }
    return packets
}

/// What handlers were told, and what they say.
final class Script {
    var request = MilterRequest(actions: MilterActions(rawValue: 0x1FF), events: .all, answered: .all)
    /// The responses to events; the others are continued.
    var responses: [MilterEvent: MilterResponse] = [:]
    var modifications: [MilterModification] = []
    /// Events whose answer is kept until the test completes it.
    var deferred: Set<MilterEvent> = []
    var answers: [MilterAnswer] = []
    var log: [String] = []
    /// The octets of the body since the last other event: however they are cut, they are one entry of the log.
    var body: [UInt8] = []
    var whenAsked: ((MilterAnswer) -> Void)?
}

/// Does what a script says.
final class ScriptedHandler: MilterSessionHandler {
    private let script: Script

    init(_ script: Script) { self.script = script }

    var request: MilterRequest { script.request }

    private func note(_ event: MilterEvent, _ text: String = "") -> MilterResponse {
        script.body = []
        script.log.append(text.isEmpty ? "\(event)" : "\(event) \(text)")
        return script.responses[event] ?? .continue
    }

    private func note(_ event: MilterEvent, _ answer: MilterAnswer, _ text: String = "") -> MilterResponse? {
        let response = note(event, text)
        script.whenAsked?(answer)
        guard script.deferred.contains(event) else { return response }
        script.answers.append(answer)
        return nil
    }

    private func text(_ octets: some Sequence<UInt8>) -> String { String(decoding: Array(octets), as: UTF8.self) }

    func connect(_ connection: MilterConnection) -> MilterResponse {
        note(.connect, "\(text(connection.hostName)) \(connection.family) \(text(connection.address))")
    }

    func helo(_ name: ArraySlice<UInt8>) -> MilterResponse { note(.helo, text(name)) }

    func mail(_ arguments: [ArraySlice<UInt8>]) -> MilterResponse {
        note(.mail, arguments.map { text($0) }.joined(separator: " "))
    }

    func recipient(_ arguments: [ArraySlice<UInt8>], answer: MilterAnswer) -> MilterResponse? {
        note(.recipient, answer, arguments.map { text($0) }.joined(separator: " "))
    }

    func data(answer: MilterAnswer) -> MilterResponse? { note(.data, answer) }

    func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> MilterResponse {
        unsafe note(.header, "\(text(name)):\(text(value))")
    }

    func endOfHeaders() -> MilterResponse { note(.endOfHeaders) }

    func body(_ chunk: UnsafeRawBufferPointer) -> MilterResponse {
        if script.log.last?.hasPrefix("body ") == true { script.log.removeLast() }
        script.body += unsafe Array(chunk)
        script.log.append("body " + (script.body.count > 100 ? "\(script.body.count) octets" : text(script.body)))
        return script.responses[.body] ?? .continue
    }

    func endOfMessage(answer: MilterAnswer) -> MilterVerdict? {
        note(.endOfMessage, answer).map { MilterVerdict($0, modifications: script.modifications) }
    }

    func unknown(_ command: ArraySlice<UInt8>) -> MilterResponse { note(.unknown, text(command)) }

    func abort() { script.log.append("abort") }

    func giveUpWithoutRoom() { script.log.append("no room") }

    func close() { script.log.append("close") }
}

/// Counts the reads that reach the socket.
final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}

/// A session on an embedded channel, whose time is the test's.
final class EmbeddedSession {
    let channel = EmbeddedChannel()
    let script: Script
    let registry = MilterSessionRegistry(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let reads = ReadCounter()
    let memory: SessionMemory

    init(_ script: Script = Script(), _ change: (inout MilterServerConfiguration) -> Void = { _ in }) throws {
        self.script = script
        let listener = MilterListener(.unix(path: "test", mode: 0o600, group: nil))
        var configuration = MilterServerConfiguration(listeners: [listener])
        change(&configuration)
        memory = SessionMemory(
            limit: configuration.maximumHeldOctets,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let session = MilterSession(
            eventLoop: channel.embeddedEventLoop,
            executor: EventLoopTaskExecutor(channel.embeddedEventLoop),
            listener: listener,
            openConnections: 1,
            memory: memory
        )
        let handler = MilterChannelHandler(
            session: session,
            configuration: configuration,
            registry: registry,
            makeHandler: { _ in ScriptedHandler(script) }
        )
        try channel.pipeline.syncOperations.addHandlers([reads, handler])
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "test")).wait()
    }

    /// The filter reads these octets.
    func send(_ stream: [UInt8]) {
        guard channel.isActive else { return }
        _ = try? channel.writeInbound(ByteBuffer(bytes: stream))
    }

    /// What the filter has written since the last call, write by write.
    func writes() -> [[String]] {
        var writes: [[String]] = []
        while let buffer = try? channel.readOutbound(as: ByteBuffer.self) {
            writes.append(packets(Array(buffer.readableBytesView)))
        }
        return writes
    }

    /// What the filter has written since the last call.
    func replies() -> [String] { writes().flatMap { $0 } }
}
