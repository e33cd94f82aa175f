/// Cuts what a connection sends into packets, wherever the network has cut it.
///
/// A packet comes out when all of it is there, but for a chunk of a body, which comes out piece by piece.
public struct MilterPacketReader: Sendable {
    /// What the next octets are.
    public enum Part: Equatable, Sendable {
        /// A packet, with the place of its data. Of a chunk of a body, `rest` octets are still to come.
        case packet(command: UInt8, data: Range<Int>, rest: Int)
        /// More of the chunk that was begun, of which `rest` octets are still to come.
        case piece(data: Range<Int>, rest: Int)
    }

    /// The greatest length accepted, of command and data.
    public let maximumLength: Int
    /// How many octets have to be there, from the start of the next packet, for it to be looked at again.
    public private(set) var neededCount = MilterFrame.headLength
    /// How many packets were complete.
    public private(set) var packetCount = 0
    /// How many octets of a packet are still to come that has been given out, or is passed over.
    private var rest = 0

    /// A reader at the start of a packet.
    public init(maximumLength: Int) {
        self.maximumLength = maximumLength
    }

    /// Whether a part of a packet has been given out, and not all of it.
    public var isWithinPacket: Bool { rest > 0 }

    /// The part that begins at a position, which moves behind it; nil when more octets have to come first.
    public mutating func next(
        in octets: UnsafeRawBufferPointer,
        _ position: inout Int
    ) throws(MilterViolation) -> Part? {
        neededCount = MilterFrame.headLength
        guard position < octets.count else { return nil }
        if rest > 0 { return piece(&position, end: octets.count) }
        let frame = unsafe MilterFrame(
            at: UnsafeRawBufferPointer(rebasing: octets[position...]),
            maximumLength: maximumLength
        )
        switch frame {
        case .incomplete: return nil
        case .invalid(let length): throw .packetLength(length)
        case .complete(let command, let length): return packet(command, length, &position, end: octets.count)
        case .begun(let command, let length):
            if MilterCommand(octet: command) == .event(.body) {
                return packet(command, length, &position, end: octets.count)
            }
            neededCount = MilterFrame.headLength + length
            return nil
        }
    }

    private mutating func packet(_ command: UInt8, _ length: Int, _ position: inout Int, end: Int) -> Part {
        let start = position + MilterFrame.headLength
        let data = start..<min(start + length, end)
        position = data.upperBound
        rest = length - data.count
        if rest == 0 { packetCount += 1 }
        return .packet(command: command, data: data, rest: rest)
    }

    private mutating func piece(_ position: inout Int, end: Int) -> Part {
        let data = position..<min(position + rest, end)
        position = data.upperBound
        rest -= data.count
        if rest == 0 { packetCount += 1 }
        return .piece(data: data, rest: rest)
    }

    /// Gives up a packet that is begun and not complete: the rest of it comes out as pieces.
    ///
    /// - Parameters:
    ///   - octets: the start of the packet, its head at least.
    ///   - count: how many octets of it are there.
    /// - Returns: its command, and how many octets are still to come; nil where no packet begins.
    public mutating func passOver(
        _ octets: UnsafeRawBufferPointer,
        count: Int
    ) -> (command: UInt8, rest: Int)? {
        guard case .begun(let command, let length) = unsafe MilterFrame(at: octets, maximumLength: maximumLength),
            count - MilterFrame.headLength <= length
        else { return nil }
        rest = length - (count - MilterFrame.headLength)
        return (command, rest)
    }
}
