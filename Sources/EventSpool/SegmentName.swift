/// The name of a segment: `HOST.BOOT.SEQUENCE.open` while it is written, `HOST.BOOT.SEQUENCE.events` from then on.
public struct SegmentName: Hashable, Sendable {
    /// The state of a segment, and the last part of its file name.
    public enum State: String, Sendable {
        /// A process writes it, or died while writing it.
        case open
        /// It is complete, and on the disk.
        case closed = "events"
    }

    /// The host that wrote it: `[events] host`, or the machine id.
    public let host: String
    /// A number that each process draws when it starts: 16 hexadecimal digits.
    public let boot: String
    /// The place among the segments of the process, from 1.
    public let sequence: Int

    /// A name.
    public init(host: String, boot: String, sequence: Int) {
        self.host = host
        self.boot = boot
        self.sequence = sequence
    }

    /// Reads a file name; nil when it is not that of a segment.
    public init?(fileName: String) {
        var parts = fileName.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 4, let state = parts.popLast(), State(rawValue: String(state)) != nil,
            let number = parts.popLast(), number.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let sequence = Int(number), let boot = parts.popLast(), boot.utf8.count == 16,
            boot.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) })
        else { return nil }
        self.init(host: parts.joined(separator: "."), boot: String(boot), sequence: sequence)
        guard Self.isHost(host), self.fileName(.init(rawValue: String(state)) ?? .open) == fileName else { return nil }
    }

    /// The name of the file in this state.
    public func fileName(_ state: State) -> String {
        let number = String(sequence)
        let zeros = String(repeating: "0", count: max(0, 8 - number.utf8.count))
        return "\(host).\(boot).\(zeros)\(number).\(state.rawValue)"
    }

    /// Whether a text can be the host of a segment: letters, digits, dots, hyphens and underscores, up to 128.
    public static func isHost(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.first != "."
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || [0x2D, 0x2E, 0x5F].contains($0)
            }
    }
}
