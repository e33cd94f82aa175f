/// The first twelve octets of a message (RFC 1035 § 4.1.1).
struct MessageHeader {
    static let size = 12

    let identifier: UInt16
    let flags: UInt16
    let questionCount: UInt16
    let answerCount: UInt16
    let authorityCount: UInt16
    let additionalCount: UInt16

    init?(_ message: [UInt8]) {
        var reader = MessageReader(message)
        do throws(MessageReader.Malformed) {
            identifier = try reader.readUInt16()
            flags = try reader.readUInt16()
            questionCount = try reader.readUInt16()
            answerCount = try reader.readUInt16()
            authorityCount = try reader.readUInt16()
            additionalCount = try reader.readUInt16()
        } catch {
            return nil
        }
    }

    /// A reply (QR) to a standard query (OPCODE 0).
    var isReply: Bool { flags & 0xF800 == 0x8000 }
    /// AA: the server is authoritative for the zone.
    var isAuthoritative: Bool { flags & 0x0400 != 0 }
    /// TC: the reply did not fit.
    var isTruncated: Bool { flags & 0x0200 != 0 }
    /// The lower four bits of the response code.
    var code: ResponseCode { ResponseCode(rawValue: flags & 0x000F) }
}

/// RCODE (RFC 1035 § 4.1.1), with the upper bits that EDNS adds (RFC 6891 § 6.1.3).
struct ResponseCode: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt16

    static let noError = ResponseCode(rawValue: 0)
    static let formatError = ResponseCode(rawValue: 1)
    static let serverFailure = ResponseCode(rawValue: 2)
    static let nameError = ResponseCode(rawValue: 3)
    static let notImplemented = ResponseCode(rawValue: 4)
    static let refused = ResponseCode(rawValue: 5)
    static let badVersion = ResponseCode(rawValue: 16)
}
