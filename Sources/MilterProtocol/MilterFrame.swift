/// The next packet of a stream.
///
/// A packet has a length (4 octets, big-endian, counting the rest of the packet), a command octet and command data.
public enum MilterFrame: Hashable, Sendable {
    /// The head of the packet is incomplete.
    case incomplete
    /// The head is complete, but the data is not: the command octet, and the length of all data.
    case begun(command: UInt8, dataLength: Int)
    /// The packet is complete: the command octet, and the length of its data, which follows the 5 octets of the head.
    case complete(command: UInt8, dataLength: Int)
    /// This is not a packet: the length is 0 or too large.
    case invalid(length: UInt32)

    /// The number of octets before a packet's data.
    public static let headLength = 5

    /// Examines the octets at the start of a packet.
    ///
    /// - Parameters:
    ///   - octets: the octets read so far, from the start of a packet on.
    ///   - maximumLength: the greatest accepted length of command and data.
    public init(at octets: UnsafeRawBufferPointer, maximumLength: Int) {
        guard octets.count >= 4 else {
            self = .incomplete
            return
        }
        let length = unsafe UInt32(bigEndian: octets.loadUnaligned(as: UInt32.self))
        guard length > 0, length <= maximumLength else {
            self = .invalid(length: length)
            return
        }
        guard octets.count >= MilterFrame.headLength else {
            self = .incomplete
            return
        }
        let (command, dataLength) = unsafe (octets[4], Int(length) - 1)
        self =
            octets.count - MilterFrame.headLength < dataLength
            ? .begun(command: command, dataLength: dataLength) : .complete(command: command, dataLength: dataLength)
    }
}
