/// Where the next packet of a stream lies.
///
/// A packet is its length (4 octets, big-endian, of what follows), a command octet and the command's data.
public enum MilterFrame: Hashable, Sendable {
    /// Not even the head of the packet is there.
    case incomplete
    /// The head is there, and not all of its data: a packet with this command octet and this length of data.
    case begun(command: UInt8, dataLength: Int)
    /// A complete packet with this command octet; its data follows the 5 octets of its head and has this length.
    case complete(command: UInt8, dataLength: Int)
    /// No packet: the length is 0 or beyond the cap.
    case invalid(length: UInt32)

    /// Octets of a packet in front of its data.
    public static let headLength = 5

    /// Looks at the octets from a packet's start on.
    ///
    /// - Parameters:
    ///   - octets: what has been read, from the start of a packet on.
    ///   - maximumLength: the greatest length accepted, of command and data.
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
