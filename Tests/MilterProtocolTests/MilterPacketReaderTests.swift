import Testing

@testable import MilterProtocol

@Suite("Octets to packets")
struct MilterPacketReaderTests {
    /// What came out: a command with its data, as text; a chunk of a body whole, however it was cut.
    private struct Log {
        var packets: [String] = []
        var isOpen = false

        mutating func take(_ part: MilterPacketReader.Part, _ octets: [UInt8]) {
            switch part {
            case .packet(let command, let data, let rest):
                packets.append(String(decoding: [command] + octets[data], as: UTF8.self))
                isOpen = rest > 0
            case .piece(let data, let rest):
                packets.append((packets.popLast() ?? "") + String(decoding: octets[data], as: UTF8.self))
                isOpen = rest > 0
            }
        }
    }

    private static func packet(_ text: String) -> [UInt8] {
        [0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8)
    }

    /// Reads a stream that comes in these pieces; what is not read of one is in front of the next.
    private static func read(_ pieces: [[UInt8]], maximumLength: Int = 100) throws(MilterViolation) -> Log {
        var reader = MilterPacketReader(maximumLength: maximumLength)
        var (log, held) = (Log(), [UInt8]())
        for piece in pieces {
            held += piece
            var position = 0
            while let part = try read(held, &position, &reader) { log.take(part, held) }
            held.removeFirst(position)
            #expect(held.isEmpty || held.count < reader.neededCount)
            #expect(reader.isWithinPacket == log.isOpen)
        }
        #expect(reader.packetCount == log.packets.count - (log.isOpen ? 1 : 0))
        return log
    }

    private static func read(
        _ octets: [UInt8],
        _ position: inout Int,
        _ reader: inout MilterPacketReader
    ) throws(MilterViolation) -> MilterPacketReader.Part? {
        var result: Result<MilterPacketReader.Part?, MilterViolation> = .success(nil)
        unsafe octets.withUnsafeBytes { octets in
            do throws(MilterViolation) {
                result = .success(try unsafe reader.next(in: octets, &position))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    private static let stream = ["Hmail", "D", "B", "Bbody", "Lname\0value\0", "Bmore", "N", "E"]

    @Test("the same packets come out wherever two cuts are")
    func cuts() throws {
        let octets = Self.stream.flatMap(Self.packet)
        for first in 0...octets.count {
            for second in first...octets.count {
                let pieces = [octets[..<first], octets[first..<second], octets[second...]].map { Array($0) }
                #expect(try Self.read(pieces).packets == Self.stream)
            }
        }
        #expect(try Self.read(octets.map { [$0] }).packets == Self.stream)
    }

    @Test("only a chunk of a body comes out before all of it is there")
    func chunks() throws {
        let chunk = try Self.read([Array(Self.packet("Bbody").prefix(7))])
        #expect(chunk.packets == ["Bbo"] && chunk.isOpen)
        let header = try Self.read([Array(Self.packet("Lname\0value\0").prefix(7))])
        #expect(header.packets.isEmpty && !header.isOpen)
    }

    @Test("a length of nothing, or beyond the cap, is no packet", arguments: [0, 101, 256, 0xFFFF_FFFF] as [UInt32])
    func lengths(_ length: UInt32) {
        let head = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> UInt32($0)) }
        #expect(throws: MilterViolation.packetLength(length)) { try Self.read([head + Array("X".utf8)]) }
    }

    @Test("what is passed over comes out as pieces, and then the next packet")
    func passedOver() throws {
        let octets = Self.packet("Lname\0value\0") + Self.packet("N")
        var reader = MilterPacketReader(maximumLength: 100)
        var position = 0
        #expect(try Self.read(Array(octets.prefix(8)), &position, &reader) == nil)
        let refused = unsafe Array(octets.prefix(8)).withUnsafeBytes { unsafe reader.passOver($0, count: 8) }
        #expect(refused?.command == UInt8(ascii: "L") && refused?.rest == 8)
        let rest = Array(octets.dropFirst(8))
        #expect(try Self.read(rest, &position, &reader) == .piece(data: 0..<8, rest: 0))
        #expect(try Self.read(rest, &position, &reader) == .packet(command: UInt8(ascii: "N"), data: 13..<13, rest: 0))
        let none = unsafe octets.withUnsafeBytes { unsafe reader.passOver($0, count: octets.count) }
        #expect(none == nil)
    }
}
