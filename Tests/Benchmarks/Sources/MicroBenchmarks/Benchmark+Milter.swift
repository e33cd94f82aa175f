import MailSyntax
import MilterProtocol

extension Benchmark {
    /// The protocol towards the MTA.
    static let milter = [
        Benchmark("milter-decode", octets: sessionPackets.count) {
            let stream = sessionPackets
            return {
                var packets = 0
                try unsafe stream.withUnsafeBytes { stream in
                    try unsafe decode(stream) { command, data in
                        switch command {
                        case .negotiate: use(try unsafe MilterOffer(parsing: data))
                        case .event(let event): try unsafe parse(event, data)
                        default: break
                        }
                        packets += 1
                    }
                }
                guard packets == 13 + Sample.fields.count else { throw UnexpectedResult(packets) }
            }
        },
        Benchmark("milter-session") {
            let stream = sessionPackets
            return {
                var machine = MilterSessionMachine(request: MilterRequest())
                var writer = MilterWriter()
                try unsafe stream.withUnsafeBytes { try unsafe play($0, &machine, &writer) }
                guard writer.octets.count > 100 else { throw UnexpectedResult(writer.octets.count) }
            }
        },
    ]

    /// Finds the packets of a stream.
    private static func decode(
        _ stream: UnsafeRawBufferPointer,
        _ body: (MilterCommand, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var rest = unsafe stream[...]
        while unsafe !rest.isEmpty {
            let packet = unsafe UnsafeRawBufferPointer(rebasing: rest)
            guard case .complete(let octet, let length) = unsafe MilterFrame(at: packet, maximumLength: 1 << 20),
                let command = MilterCommand(octet: octet)
            else { throw UnexpectedResult("frame") }
            let end = MilterFrame.headLength + length
            try unsafe body(command, UnsafeRawBufferPointer(rebasing: packet[MilterFrame.headLength..<end]))
            unsafe rest = rest.dropFirst(end)
        }
    }

    /// Plays a session of one message: frames, commands, events, and a field inserted at its end.
    private static func play(
        _ stream: UnsafeRawBufferPointer,
        _ machine: inout MilterSessionMachine,
        _ writer: inout MilterWriter
    ) throws {
        try unsafe decode(stream) { command, data in
            switch machine.receive(command) {
            case .negotiate:
                machine.negotiate(try unsafe MilterOffer(parsing: data))
                writer.write(machine.options)
            case .define: unsafe machine.define(data)
            case .deliver(let event, _):
                try unsafe parse(event, data)
                if event == .endOfMessage { insertField(&writer, machine.options) }
                if let answer = machine.answer(.continue, to: event) { writer.write(answer) }
            case .answer(let answer): if let answer { writer.write(answer) }
            case .abort, .ignore, .restart: break
            case .close(let violation, _): if let violation { throw violation }
            }
        }
    }

    private static func parse(_ event: MilterEvent, _ data: UnsafeRawBufferPointer) throws {
        switch event {
        case .connect: use(try unsafe MilterConnection(parsing: data))
        case .header: use(try unsafe MilterHeaderField(parsing: data))
        case .mail, .recipient: use(try unsafe MilterPayload.arguments(data))
        case .helo: use(unsafe MilterPayload.string(data))
        default: break
        }
    }

    private static func insertField(_ writer: inout MilterWriter, _ options: MilterOptions) {
        let value = Octets(
            "mx.example.org;\n\tspf=pass smtp.mailfrom=bounce@example.com;\n\tdmarc=pass header.from=example.com"
        )
        writer.write(
            .insertHeader(index: 0, name: Octets("Authentication-Results"), value: value),
            options: options
        )
    }

    /// What an MTA writes for one message.
    private static var sessionPackets: [UInt8] {
        var octets = [UInt8]()
        func packet(_ command: Character, _ data: [UInt8]) {
            let length = UInt32(data.count + 1)
            octets += [UInt8(length >> 24), UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255)]
            octets.append(command.asciiValue ?? 0)
            octets += data
        }
        func text(_ strings: String...) -> [UInt8] { strings.flatMap { Array($0.utf8) + [0] } }
        packet("O", [0, 0, 0, 6, 0, 0, 1, 0xFF, 0, 0x1F, 0xFF, 0xFF])
        packet("D", [0x43] + text("j", "mx.example.org", "{daemon_name}", "smtpd", "v", "Postfix 3.7.11"))
        packet("C", text("mail.example.com") + [0x34, 0xA1, 0x12] + text(Sample.client))
        packet("H", text("mail.example.com"))
        packet("D", [0x4D] + text("{mail_addr}", "bounce@example.com"))
        packet("M", text("<bounce@example.com>", "SIZE=4000"))
        packet("D", [0x52] + text("i", "4Xyz1234", "{rcpt_addr}", "user@example.org"))
        packet("R", text("<user@example.org>"))
        packet("T", [])
        for field in Sample.fields { packet("L", text(field.name, field.value)) }
        packet("N", [])
        packet("B", Sample.body(3000))
        packet("E", [])
        packet("Q", [])
        return octets
    }
}
