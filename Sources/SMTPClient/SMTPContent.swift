internal import MailSyntax

/// A message in blocks, with its dots doubled and the final dot (RFC 5321 § 4.5.2).
struct SMTPContent {
    /// The octets of the message that make a block.
    static let blockLength = 64 << 10

    private var rest: ArraySlice<UInt8>
    private var isAtLineStart = true
    /// Whether the final dot has been given out.
    private(set) var isComplete = false

    /// Takes a message whose last line ends with CRLF.
    init(_ message: [UInt8]) {
        rest = message[...]
    }

    /// The next block.
    mutating func next() -> [UInt8] {
        let part = rest.prefix(Self.blockLength)
        rest = rest[part.endIndex...]
        var block: [UInt8] = []
        block.reserveCapacity(part.count + part.count / 64 + 3)
        for octet in part {
            if isAtLineStart, octet == UInt8(ascii: ".") { block.append(octet) }
            block.append(octet)
            isAtLineStart = octet == .lf
        }
        if rest.isEmpty {
            block.append(contentsOf: ".\r\n".utf8)
            isComplete = true
        }
        return block
    }
}
