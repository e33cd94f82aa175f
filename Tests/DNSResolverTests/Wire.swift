import DNSLookup
import MailSyntax

/// Writes DNS messages octet by octet, right ones and wrong ones.
struct Wire {
    var octets: [UInt8]

    struct Record {
        var owner: [UInt8]
        var type: UInt16
        var recordClass: UInt16 = 1
        var timeToLive: UInt32 = 300
        var data: [UInt8]
    }

    static let pointerToQuestion: [UInt8] = [0xC0, 12]

    static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    static func uint16(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

    static func uint32(_ value: UInt32) -> [UInt8] {
        uint16(UInt16(value >> 16)) + uint16(UInt16(value & 0xFFFF))
    }

    /// A reply with QR, RD and RA set.
    init(
        identifier: UInt16,
        code: UInt16 = 0,
        flags: UInt16 = 0x8180,
        question: [UInt8],
        answers: [Record] = [],
        authorities: [Record] = [],
        additional: [Record] = []
    ) {
        octets = Self.uint16(identifier) + Self.uint16(flags | code) + Self.uint16(question.isEmpty ? 0 : 1)
        for section in [answers, authorities, additional] { octets += Self.uint16(UInt16(section.count)) }
        octets += question
        for record in answers + authorities + additional {
            octets += record.owner + Self.uint16(record.type) + Self.uint16(record.recordClass)
            octets += Self.uint32(record.timeToLive) + Self.uint16(UInt16(record.data.count)) + record.data
        }
    }

    static func question(_ name: String, _ type: DNSRecordType) -> [UInt8] {
        Wire.name(name) + uint16(type.rawValue) + [0, 1]
    }

    static func text(_ text: String, owner: [UInt8] = pointerToQuestion, timeToLive: UInt32 = 300) -> Record {
        Record(owner: owner, type: 16, timeToLive: timeToLive, data: [UInt8(text.utf8.count)] + Array(text.utf8))
    }

    static func alias(_ owner: String, to target: String, timeToLive: UInt32 = 300) -> Record {
        Record(owner: name(owner), type: 5, timeToLive: timeToLive, data: name(target))
    }

    static func authority(_ owner: String, timeToLive: UInt32 = 900, minimum: UInt32 = 600) -> Record {
        let numbers = [1, 2, 3, 4, minimum].flatMap(uint32)
        return Record(owner: name(owner), type: 6, timeToLive: timeToLive, data: name("ns") + name("root") + numbers)
    }
}
