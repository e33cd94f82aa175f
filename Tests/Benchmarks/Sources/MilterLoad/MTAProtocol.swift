import NIOCore

/// The milter protocol as an MTA speaks it: what Postfix offers, and the packets it writes.
///
/// Written apart from the daemon's own codec, so that a mistake there is not repeated here.
enum MTAProtocol {
    /// Protocol version 6.
    static let version: UInt32 = 6
    /// Every modification that Postfix can do.
    static let offeredActions: UInt32 = 0x1FF
    /// Every protocol step that Postfix can leave out, and leading space.
    static let offeredSteps: UInt32 = 0x1F_FFFF
    /// The greatest part of a body that Postfix sends at a time.
    static let chunkLength = 65_535

    /// What the MTA tells the filter, with the octet of its packet and the bits that omit it or its answer.
    enum Event: UInt8 {
        case connect = 0x43
        case helo = 0x48
        case mail = 0x4D
        case recipient = 0x52
        case data = 0x54
        case header = 0x4C
        case endOfHeaders = 0x4E
        case body = 0x42
        case endOfMessage = 0x45

        var omission: UInt32 {
            switch self {
            case .connect: 0x1
            case .helo: 0x2
            case .mail: 0x4
            case .recipient: 0x8
            case .body: 0x10
            case .header: 0x20
            case .endOfHeaders: 0x40
            case .data: 0x200
            case .endOfMessage: 0
            }
        }

        var silence: UInt32 {
            switch self {
            case .header: 0x80
            case .connect: 0x1000
            case .helo: 0x2000
            case .mail: 0x4000
            case .recipient: 0x8000
            case .data: 0x1_0000
            case .endOfHeaders: 0x4_0000
            case .body: 0x8_0000
            case .endOfMessage: 0
            }
        }
    }

    /// Header values keep their leading space.
    static let leadingSpace: UInt32 = 0x10_0000

    /// What a filter's packet says.
    enum Answer {
        case proceed, accept, reject, tempfail, discard, skip, progress, negotiation, modification

        init?(octet: UInt8) {
            switch octet {
            case UInt8(ascii: "c"): self = .proceed
            case UInt8(ascii: "a"): self = .accept
            case UInt8(ascii: "r"), UInt8(ascii: "y"): self = .reject
            case UInt8(ascii: "t"): self = .tempfail
            case UInt8(ascii: "d"): self = .discard
            case UInt8(ascii: "s"): self = .skip
            case UInt8(ascii: "p"): self = .progress
            case UInt8(ascii: "O"): self = .negotiation
            case UInt8(ascii: "h"), UInt8(ascii: "i"), UInt8(ascii: "m"), UInt8(ascii: "q"), UInt8(ascii: "+"),
                UInt8(ascii: "-"), UInt8(ascii: "2"), UInt8(ascii: "b"), UInt8(ascii: "e"):
                self = .modification
            default: return nil
            }
        }
    }
}

extension ByteBuffer {
    /// Writes a packet: its length, an octet that says what it is, and data.
    mutating func writePacket(_ octet: UInt8, _ data: (inout ByteBuffer) -> Void = { _ in }) {
        let start = writerIndex
        writeInteger(UInt32(0))
        writeInteger(octet)
        data(&self)
        setInteger(UInt32(writerIndex - start - 4), at: start)
    }

    /// Writes a string and a NUL.
    mutating func writeTerminated(_ text: String) {
        writeString(text)
        writeInteger(UInt8(0))
    }

    /// Writes the macros of an event.
    mutating func writeMacros(_ event: MTAProtocol.Event, _ macros: KeyValuePairs<String, String>) {
        writePacket(UInt8(ascii: "D")) { buffer in
            buffer.writeInteger(event.rawValue)
            for (name, value) in macros {
                buffer.writeTerminated(name)
                buffer.writeTerminated(value)
            }
        }
    }
}
