/// Divides the octets of a connection into packets, wherever the network has cut them.
///
/// A packet is returned when it is complete, except a chunk of a body, which is returned piece by piece.
public struct MilterPacketReader: Sendable {
    /// The meaning of the next octets.
    public enum Part: Equatable, Sendable {
        /// A packet, with the range of its data.
        ///
        /// For a chunk of a body, `rest` octets are still to come.
        case packet(command: UInt8, data: Range<Int>, rest: Int)
        /// More of the current chunk; `rest` octets are still to come.
        case piece(data: Range<Int>, rest: Int)
    }

    /// The greatest accepted length of command and data.
    public let maximumLength: Int
    /// How many octets of the next packet must have come before it is worth examining again.
    public private(set) var neededCount = MilterFrame.headLength
    /// The number of complete packets.
    public private(set) var packetCount = 0
    /// How many octets are still to come of a packet that has been returned, or is skipped.
    private var rest = 0

    /// A reader at the start of a packet.
    public init(maximumLength: Int) {
        self.maximumLength = maximumLength
    }

    /// Whether a part of a packet has been returned, but not all of it.
    public var isWithinPacket: Bool { rest > 0 }

    /// The part that begins at a position; moves the position behind it.
    ///
    /// Returns nil when more octets must come first.
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

    /// Gives up a packet that has begun but is not complete: the rest of it is returned as pieces.
    ///
    /// - Parameters:
    ///   - octets: the start of the packet, at least its head.
    ///   - count: how many of its octets have come.
    /// - Returns: the command of the packet, and how many octets are still to come; nil when no packet begins here.
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
