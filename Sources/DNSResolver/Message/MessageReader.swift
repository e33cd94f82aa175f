/// Walks the structure of a DNS message (RFC 1035 § 4.1) and finds the positions of its records.
///
/// ldns gets no part of a message before its names are known to end and its lengths are known to fit. The reason: ldns
/// follows up to 65,535 pointers in a name, so a hostile message could cost a second of work.
struct MessageReader {
    /// The message ends early, a name does not end, or the message has more parts than we accept.
    struct Malformed: Error {}

    /// The position of a record.
    struct Frame {
        /// The offset of the owner's name.
        let offset: Int
        let type: UInt16
        let recordClass: UInt16
        let timeToLive: UInt32
        /// The offsets of the data.
        let data: Range<Int>
    }

    /// The most records in a section: 65,535 octets hold some 4,000, and no domain has so many addresses or texts.
    static let maximumRecords = 1024
    /// The most pointers in a name: one for each label that a name can have.
    private static let maximumPointers = 127

    let octets: [UInt8]
    private(set) var index: Int

    init(_ octets: [UInt8], at index: Int = 0) {
        self.octets = octets
        self.index = index
    }

    mutating func readOctet() throws(Malformed) -> UInt8 {
        guard index < octets.count else { throw Malformed() }
        defer { index += 1 }
        return octets[index]
    }

    mutating func readUInt16() throws(Malformed) -> UInt16 {
        let high = try readOctet()
        return UInt16(high) << 8 | UInt16(try readOctet())
    }

    mutating func readUInt32() throws(Malformed) -> UInt32 {
        let high = try readUInt16()
        return UInt32(high) << 16 | UInt32(try readUInt16())
    }

    /// Skips a name, after following its pointers to their end.
    mutating func skipName() throws(Malformed) {
        var position = index
        var end: Int?
        var length = 0
        var pointers = 0
        var limit = index
        while true {
            guard position < octets.count else { throw Malformed() }
            let octet = octets[position]
            switch octet & 0xC0 {
            case 0x00:
                // RFC 1035 § 2.3.4: a name has 255 octets or less.
                length += 1 + Int(octet)
                guard length <= 255 else { throw Malformed() }
                position += 1 + Int(octet)
                if octet == 0 {
                    index = end ?? position
                    return
                }
            case 0xC0:
                guard position + 1 < octets.count else { throw Malformed() }
                let target = Int(octet & 0x3F) << 8 | Int(octets[position + 1])
                // RFC 1035 § 4.1.4: a pointer leads to a prior occurrence of a name, so each has to lead further back.
                pointers += 1
                guard target < limit, pointers <= Self.maximumPointers else { throw Malformed() }
                end = end ?? position + 2
                limit = target
                position = target
            default:
                // RFC 1035 § 4.1.4: the 10 and 01 combinations are reserved for future use.
                throw Malformed()
            }
        }
    }

    /// Skips a record.
    mutating func readFrame() throws(Malformed) -> Frame {
        let offset = index
        try skipName()
        let type = try readUInt16()
        let recordClass = try readUInt16()
        let timeToLive = try readUInt32()
        let length = Int(try readUInt16())
        guard length <= octets.count - index else { throw Malformed() }
        let data = index..<index + length
        index = data.upperBound
        return Frame(offset: offset, type: type, recordClass: recordClass, timeToLive: timeToLive, data: data)
    }

    /// Skips a section.
    mutating func readFrames(_ count: UInt16) throws(Malformed) -> [Frame] {
        guard count <= Self.maximumRecords else { throw Malformed() }
        var frames = [Frame]()
        for _ in 0..<count { frames.append(try readFrame()) }
        return frames
    }

    /// Checks that a record's data has the structure of its type: names from an offset on, and octets after them.
    func check(_ frame: Frame, names: Int, before: Int = 0, after: Int = 0) throws(Malformed) {
        var reader = MessageReader(octets, at: frame.data.lowerBound + before)
        for _ in 0..<names { try reader.skipName() }
        guard reader.index + after == frame.data.upperBound else { throw Malformed() }
    }
}
