internal import MailSyntax

/// The reply of a server to a command (RFC 5321 § 4.2).
public struct SMTPReply: Sendable, Hashable, CustomStringConvertible {
    /// The reply code, 200 to 599.
    public let code: Int
    /// The texts of its lines: printable, the rest replaced by `?`.
    public let lines: [String]

    init(code: Int, lines: [String]) {
        self.code = code
        self.lines = lines
    }

    /// The first digit, which says enough (RFC 5321 § 4.3.2).
    var kind: Int { code / 100 }

    /// The code and the text, on one line.
    public var description: String { ([String(code)] + lines.filter { !$0.isEmpty }).joined(separator: " ") }
}

/// A stream that is no reply of an SMTP server, or is too long for one.
struct SMTPReplyError: Error {}

/// Puts the octets of a server together to replies.
struct SMTPReplyReader {
    /// The most octets of a line, with its CRLF (RFC 5321 § 4.5.3.1.5).
    static let maximumLineLength = 512
    /// The most lines of a reply; the longest known answer to EHLO has some thirty.
    static let maximumLines = 100

    private var received: [UInt8] = []
    private var code: Int?
    private var lines: [String] = []

    /// Whether octets are left that are no whole reply.
    var isInReply: Bool { !received.isEmpty || code != nil }

    /// Takes octets; where they are cut means nothing.
    mutating func append(_ octets: some Sequence<UInt8>) {
        received.append(contentsOf: octets)
    }

    /// The next whole reply; nil until it has arrived.
    mutating func next() throws(SMTPReplyError) -> SMTPReply? {
        while let end = received.firstIndex(of: .lf) {
            guard end < Self.maximumLineLength else { throw SMTPReplyError() }
            var line = received[..<end]
            // Some servers end lines with LF alone; nothing is ambiguous about that in a reply.
            if line.last == .cr { line = line.dropLast() }
            let reply = try take(line)
            received.removeFirst(end + 1)
            if let reply { return reply }
        }
        guard received.count < Self.maximumLineLength else { throw SMTPReplyError() }
        return nil
    }

    /// RFC 5321 § 4.2: `Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF`.
    private mutating func take(_ line: ArraySlice<UInt8>) throws(SMTPReplyError) -> SMTPReply? {
        let digits = line.prefix(3)
        guard digits.count == 3, digits.allSatisfy(\.isDigit), let number = Int(digits.text),
            (200...599).contains(number), code == nil || code == number, lines.count < Self.maximumLines
        else { throw SMTPReplyError() }
        let rest = line.dropFirst(3)
        guard rest.isEmpty || rest.first == .space || rest.first == UInt8(ascii: "-") else { throw SMTPReplyError() }
        let text = FieldText.printable(rest.dropFirst(), limit: Self.maximumLineLength)
        lines.append(String(decoding: text, as: UTF8.self))
        code = number
        guard rest.first != UInt8(ascii: "-") else { return nil }
        defer { (code, lines) = (nil, []) }
        return SMTPReply(code: number, lines: lines)
    }
}
