internal import Logging
internal import MailSyntax
internal import MilterProtocol
internal import NIOCore
internal import NIOEmbedded
internal import PosternConfiguration
internal import PosternSetup

@testable internal import MilterServer
@testable internal import PosternDaemon

/// Plays an input as what an MTA sends in a session of the real filter: every event that wants an answer gets one, or
/// the connection is closed; what is written can be read, brings no line of its own into a header, and leaves no forged
/// field.
///
/// The first octet chooses the configuration. Then come steps: a command letter with its data, octets that are no
/// packet, or where the next packet is cut.
func fuzzSession(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    var script = Choices(unsafe input(start, count))
    let player = SessionPlayer(script.one(of: Arrangement.all))
    while !script.isEmpty, player.isOpen {
        switch script.octet() {
        case let cut where cut >= 0x80: player.cut = Int(cut & 0x7F)
        case let length where length < 0x40: player.send(script.octets(Int(length)))
        case let command:
            let length = Int(script.octet())
            player.send(command, script.octets(length < 0xC0 ? length : (length - 0xC0 + 1) * 0xC0))
        }
    }
    player.end()
    return 0
}

/// A configuration in force.
private struct Arrangement {
    let filter: Filter
    /// Whether what it accepts and judges has a result field of its own.
    let stamps: Bool

    private static let rules = """
        [[rules]]
        name = "spf"
        when = { spf = ["fail", "softfail"] }
        unless = [ { client_names = [".example.com"] }, { dkim_domains = ["example.com"] } ]
        action = "reject"
        reply = "550 5.7.1 {explanation} {from} {client}"
        [[rules]]
        name = "here"
        when = { recipients = ["a@example.net"], sender_id = "!pass" }
        action = "quarantine"
        [[rules]]
        name = "author"
        when = { author = "unreadable" }
        action = "junk"
        """

    private init(_ text: String, stamps: Bool, maximumHeader: Int = 1 << 18) {
        do {
            let settings = "authserv_id = \"mx.example.org\"\ndns.zone = \"zone\"\n"
            var configuration = try Configuration.parse(settings + text, file: "fuzz.toml")
            // Less than a postmaster may set, so that an input is soon beyond it.
            configuration.limits.maximumHeaderOctets = maximumHeader
            let resolver = try ConfiguredResolver(configuration, group: EmbeddedEventLoop())
            let log = MessageLog(sink: LogSink(syslog: nil, standardError: nil), format: .json, isEnabled: true)
            filter = Filter(try Setup(configuration, resolver: resolver), log: log)
            self.stamps = stamps
        } catch {
            fatalError("\(error)")
        }
    }

    static let all = [
        Arrangement("mode = \"enforce\"\n" + rules, stamps: true),
        Arrangement("mode = \"observe\"\n" + rules, stamps: false, maximumHeader: 1024),
        Arrangement("mode = \"enforce\"\nmixed = \"defer\"\n[headers]\nkeep_removed = true\n" + rules, stamps: true),
        Arrangement(
            "mode = \"enforce\"\n[checks.dmarc]\nenabled = false\n[headers]\nreceived_spf = true\n",
            stamps: true
        ),
    ]
}

/// The MTA's end of a session, which knows what it has asked for.
private final class SessionPlayer {
    /// Where the next packet is cut in two.
    var cut = 0

    private let arrangement: Arrangement
    private let channel = EmbeddedChannel()
    private let memory = SessionMemory(limit: 65_536, logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
    private let session: MilterSession
    /// Whether only whole packets were sent, so that it is known what each answer belongs to.
    private var isAligned = true
    private var message = PlayedMessage()
    private var isStranger = false
    private var hasLogin = false

    var isOpen: Bool { channel.isActive }

    init(_ arrangement: Arrangement) {
        self.arrangement = arrangement
        let listener = MilterListener(.unix(path: "fuzz", mode: 0o600, group: nil))
        session = MilterSession(
            eventLoop: channel.embeddedEventLoop,
            executor: EventLoopTaskExecutor(channel.embeddedEventLoop),
            listener: listener,
            openConnections: 1,
            memory: memory
        )
        let handler = MilterChannelHandler(
            session: session,
            configuration: MilterServerConfiguration(listeners: [listener]),
            registry: MilterSessionRegistry(logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }),
            makeHandler: { FilterSession(arrangement.filter, session: $0) }
        )
        do {
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "fuzz")).wait()
        } catch {
            fatalError("\(error)")
        }
    }

    /// Sends octets that may be no packet.
    func send(_ octets: [UInt8]) {
        guard !octets.isEmpty else { return }
        isAligned = false
        write(octets)
        for packet in replies() { check(packet) }
    }

    /// Sends a packet, perhaps in two parts.
    func send(_ command: UInt8, _ data: [UInt8]) {
        let length = UInt32(data.count + 1)
        let head = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> UInt32($0)) }
        let packet = head + [command] + data
        note(command, data)
        let event: MilterEvent? = if case .event(let event)? = MilterCommand(octet: command) { event } else { nil }
        let isAnswered = event.map(session.options.expectsAnswer) ?? (command == UInt8(ascii: "O"))
        let wasNegotiated = session.machine.isNegotiated
        if cut > 0, cut < packet.count { write(Array(packet.prefix(cut))) } else { cut = 0 }
        write(Array(packet.dropFirst(cut)))
        cut = 0
        let replies = replies()
        for reply in replies { check(reply) }
        guard isAligned else { return }
        let answers = replies.filter { !Self.modifications.contains($0[0]) && $0[0] != UInt8(ascii: "p") }
        // Whatever was wrong, the MTA is not left waiting on an open connection.
        guard isOpen else { return expect(answers.count <= 1) }
        expect(answers.count == (isAnswered ? 1 : 0), "\(answers.count) answers to \(command)")
        if event == .endOfMessage, wasNegotiated, let answer = answers.first { endMessage(answer, replies.dropLast()) }
    }

    /// Ends the connection; nothing of the session's memory stays taken.
    func end() {
        Outcomes.count(isOpen ? "open" : "closed")
        _ = try? channel.finish(acceptAlreadyClosed: true)
        expect(memory.octets == 0, "memory that is not given back")
    }

    private func write(_ octets: [UInt8]) {
        guard isOpen else { return }
        _ = try? channel.writeInbound(ByteBuffer(bytes: octets))
        channel.embeddedEventLoop.run()
    }

    /// The packets that the filter has written: command and data.
    private func replies() -> [[UInt8]] {
        var stream: [UInt8] = []
        while let buffer = try? channel.readOutbound(as: ByteBuffer.self) { stream += buffer.readableBytesView }
        var packets: [[UInt8]] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            expect(length > 0 && rest.count >= length + 4, "a packet that is not whole")
            packets.append(Array(rest.dropFirst(4).prefix(length)))
            rest = rest.dropFirst(length + 4)
        }
        return packets
    }
}

// MARK: What the filter says

extension SessionPlayer {
    private static let modifications = Set("himbe+-2q".utf8)

    /// Holds a packet against the protocol: it brings no line of its own into a header or an SMTP reply.
    private func check(_ packet: [UInt8]) {
        let data = packet.dropFirst()
        switch packet[0] {
        case UInt8(ascii: "O"): expect(data.count == 12)
        case UInt8(ascii: "h"): checkField(data)
        case UInt8(ascii: "i"), UInt8(ascii: "m"): checkField(data.dropFirst(4))
        case UInt8(ascii: "q"): expect(data.last == 0 && data.dropLast().allSatisfy { $0 >= 0x20 })
        case UInt8(ascii: "y"): checkReply(data)
        default: expect("cartdsp".utf8.contains(packet[0]) && data.isEmpty, "an unknown packet")
        }
    }

    private func checkField(_ data: ArraySlice<UInt8>) {
        let parts = data.split(separator: 0, omittingEmptySubsequences: false)
        expect(parts.count == 3 && parts[2].isEmpty && !parts[0].isEmpty, "no name, no value or more than these")
        expect(parts[0].allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A } && !parts[1].contains(0x0D))
        let lines = parts[1].split(separator: 0x0A, omittingEmptySubsequences: false)
        expect(lines.dropFirst().allSatisfy { $0.first == 0x20 || $0.first == 0x09 }, "a line of its own")
        expect(lines.count == 1 || lines.allSatisfy { line in line.contains { $0 != 0x20 && $0 != 0x09 } })
    }

    /// RFC 5321 § 4.2: each line has the same code.
    private func checkReply(_ data: ArraySlice<UInt8>) {
        expect(data.last == 0 && !data.dropLast().contains(0))
        let text = String(decoding: data.dropLast(), as: UTF8.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        guard let code = lines.first?.prefix(3) else { fatalError("an empty reply") }
        expect(code.first == "4" || code.first == "5")
        expect(lines.allSatisfy { $0.hasPrefix(code) && !$0.utf8.contains { $0 < 0x20 } }, "a line of its own")
    }
}

// MARK: What becomes of the message

/// What the MTA has sent of a message.
private struct PlayedMessage {
    var isBegun = false
    var fields: [(name: [UInt8], value: [UInt8])] = []
}

extension SessionPlayer {
    private func note(_ command: UInt8, _ data: [UInt8]) {
        let strings = data.split(separator: 0, omittingEmptySubsequences: false)
        switch command {
        case UInt8(ascii: "C"):
            // Of an address that is nobody's friend.
            let address = strings.count > 1 ? strings[1] : []
            isStranger = address.first == UInt8(ascii: "4") && address.dropFirst(3).starts(with: "203.0.113.".utf8)
        case UInt8(ascii: "K"): isStranger = false
        case UInt8(ascii: "D"): if String(decoding: data, as: UTF8.self).contains("auth") { hasLogin = true }
        case UInt8(ascii: "M"): message = PlayedMessage(isBegun: true)
        case UInt8(ascii: "L") where strings.count > 1:
            message.fields.append((Array(strings[0]), Array(strings[1])))
        default: break
        }
    }

    /// The end of a message from outside that is delivered: it has our results, and nobody else's in our name.
    private func endMessage(_ answer: [UInt8], _ modifications: ArraySlice<[UInt8]>) {
        Outcomes.count("end \(Character(Unicode.Scalar(answer[0])))")
        defer { message = PlayedMessage() }
        guard answer == Array("c".utf8) || answer == Array("a".utf8), message.isBegun, isStranger else { return }
        if session.options.actions.contains(.changeHeaders) { checkDeletions(modifications) }
        guard arrangement.stamps, !hasLogin, session.options.actions.contains(.addHeaders) else { return }
        let stamp = Octets("Authentication-Results")
        expect(modifications.contains { $0[0] == 0x69 && $0.dropFirst(5).starts(with: stamp) }, "no results")
        Outcomes.count("stamped")
    }

    private func checkDeletions(_ modifications: ArraySlice<[UInt8]>) {
        var deleted: Set<Int> = []
        for packet in modifications where packet[0] == UInt8(ascii: "m") {
            let parts = packet.dropFirst(5).split(separator: 0, omittingEmptySubsequences: false)
            expect(parts[1].isEmpty, "a field that is changed")
            let index = packet.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let positions = message.fields.indices.filter { Self.isNamed(message.fields[$0].name, parts[0]) }
            expect(index >= 1 && index <= positions.count, "a field that is not there")
            deleted.insert(positions[index - 1])
        }
        for (position, field) in message.fields.enumerated() where Self.isForged(field.name, field.value) {
            Outcomes.count("forged")
            expect(deleted.contains(position), "a forged field survives")
        }
    }

    private static func isNamed(_ name: [UInt8], _ other: ArraySlice<UInt8>) -> Bool {
        name[...].trimmed.equalsIgnoringCase(other)
    }

    /// What everybody would take for ours, in as many words.
    private static func isForged(_ name: [UInt8], _ value: [UInt8]) -> Bool {
        guard isNamed(name, Octets("Authentication-Results")) else { return false }
        let start = value.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        guard start.prefix(14).equalsIgnoringCase("mx.example.org") else { return false }
        return start.dropFirst(14).first.map { [0x20, 0x09, 0x3B].contains($0) } ?? true
    }
}
