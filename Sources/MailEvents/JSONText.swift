/// A line with a JSON value (RFC 8259), written into room that serves one line after the other.
public struct JSONText: Sendable {
    /// What is written, and room for more.
    private var room = [UInt8](repeating: 0, count: 4096)
    /// How many octets are written.
    private var count = 0

    /// Nothing yet.
    public init() {}

    /// What is written.
    public var octets: ArraySlice<UInt8> { room[..<count] }

    /// The size of the room, in octets.
    public var capacity: Int { room.count }

    /// Writes an object and a line end in place of what is written.
    @inline(__always)
    mutating func line(_ members: (inout JSONLine) -> Void) {
        var larger: [UInt8]?
        count = unsafe room.withUnsafeMutableBufferPointer { room in
            var line = unsafe JSONLine(room)
            line.object(nil, members)
            line.lineEnd()
            larger = line.ownRoom
            return line.count
        }
        if let larger { room = larger }
    }
}
