import NIOCore

/// What an MTA writes, cut where it waits for an answer.
struct Script: Sendable {
    /// Some packets; an answer to the last of them is waited for unless `event` is nil.
    struct Step: Sendable {
        let event: MTAProtocol.Event?
        let buffers: [ByteBuffer]
    }

    private(set) var steps: [Step] = []
    private var packets = ByteBuffer()
    private var buffers: [ByteBuffer] = []
    private let agreed: UInt32

    /// The connection's part: connect and HELO.
    init(sessionOf message: Message, agreed: UInt32) {
        self.agreed = agreed
        packets.writeMacros(
            .connect,
            ["j": "mx.bench.test", "{daemon_name}": "smtpd", "{daemon_addr}": "127.0.0.1", "v": "Postfix 3.7.11"]
        )
        add(.connect) { buffer in
            let isIPv6 = message.clientAddress.contains(":")
            buffer.writeTerminated(message.clientName)
            buffer.writeInteger(isIPv6 ? UInt8(ascii: "6") : UInt8(ascii: "4"))
            buffer.writeInteger(UInt16(41_234))
            buffer.writeTerminated((isIPv6 ? "IPv6:" : "") + message.clientAddress)
        }
        add(.helo) { $0.writeTerminated(message.helo) }
        finishStep(nil)
    }

    /// A message's part: from MAIL to the end of the message.
    init(_ message: Message, agreed: UInt32) {
        self.agreed = agreed
        let queueID = "4\(message.id)"
        packets.writeMacros(.mail, ["{mail_addr}": message.sender, "{mail_mailer}": "smtp"])
        add(.mail) { $0.writeTerminated("<\(message.sender)>") }
        for recipient in message.recipients {
            packets.writeMacros(.recipient, ["i": queueID, "{rcpt_addr}": recipient, "{rcpt_mailer}": "virtual"])
            add(.recipient) { $0.writeTerminated("<\(recipient)>") }
        }
        packets.writeMacros(.data, ["i": queueID])
        add(.data)
        let keepsSpace = agreed & MTAProtocol.leadingSpace != 0
        for field in message.fields {
            add(.header) { buffer in
                buffer.writeBytes(field.name)
                buffer.writeInteger(UInt8(0))
                buffer.writeBytes(!keepsSpace && field.value.first == 0x20 ? field.value.dropFirst() : field.value[...])
                buffer.writeInteger(UInt8(0))
            }
        }
        packets.writeMacros(.endOfHeaders, ["i": queueID])
        add(.endOfHeaders)
        var rest = message.body[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(MTAProtocol.chunkLength)
            add(.body) { $0.writeBytes(chunk) }
            rest = rest.dropFirst(chunk.count)
        }
        packets.writeMacros(.endOfMessage, ["i": queueID])
        add(.endOfMessage)
    }

    private mutating func add(_ event: MTAProtocol.Event, _ data: (inout ByteBuffer) -> Void = { _ in }) {
        guard agreed & event.omission == 0 else { return }
        packets.writePacket(event.rawValue, data)
        if agreed & event.silence == 0 {
            finishStep(event)
        } else if packets.readableBytes >= MTAProtocol.chunkLength {
            finishBuffer()
        }
    }

    private mutating func finishBuffer() {
        if packets.readableBytes > 0 { buffers.append(packets) }
        packets = ByteBuffer()
    }

    private mutating func finishStep(_ event: MTAProtocol.Event?) {
        finishBuffer()
        if !buffers.isEmpty { steps.append(Step(event: event, buffers: buffers)) }
        buffers = []
    }
}

/// The scripts of the messages sent so far, made once: the load program should cost little beside what it measures.
final class ScriptCache {
    private var scripts: [String: Script] = [:]
    private var agreed: UInt32 = 0

    /// The script of a message.
    func script(of message: Message, agreed: UInt32) -> Script {
        if agreed != self.agreed {
            scripts = [:]
            self.agreed = agreed
        }
        if let script = scripts[message.id] { return script }
        let script = Script(message, agreed: agreed)
        scripts[message.id] = script
        return script
    }
}
