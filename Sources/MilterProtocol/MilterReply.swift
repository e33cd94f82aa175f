internal import MailSyntax

/// The text of an SMTP reply that refuses (SMFIR_REPLYCODE); it is always well-formed.
///
/// Any text becomes printable US-ASCII in lines of limited length: a control character or an octet beyond US-ASCII
/// becomes `?`, `%` is doubled (MTAs expand the text as a format), and long text is wrapped.
public struct MilterReply: Sendable, Hashable {
    /// The most octets of a line, as in libmilter.
    static let maximumLineLength = 980
    /// The most lines, as in libmilter.
    static let maximumLines = 32

    /// The reply code, 400 to 599.
    public let code: UInt16
    /// The enhanced status code (RFC 3463), of the same class as the reply code.
    public let enhancedStatus: String
    /// The lines as sent, with codes and without line ends.
    let lines: [[UInt8]]

    /// A reply.
    ///
    /// A code outside 400 to 599 becomes 451. An enhanced status that is not well-formed, or not of the code's class
    /// (RFC 3463 § 2), becomes `4.7.1` or `5.7.1`; Postfix fails the session if the classes differ.
    public init(code: UInt16, enhancedStatus: String, text: [ArraySlice<UInt8>]) {
        let code = (400...599).contains(code) ? code : 451
        self.code = code
        self.enhancedStatus =
            MilterReply.isStatus(enhancedStatus, class: code / 100) ? enhancedStatus : "\(code / 100).7.1"
        let tail = Array(self.enhancedStatus.utf8) + [.space]
        let room = MilterReply.maximumLineLength - 4 - tail.count
        var texts = text.flatMap { MilterReply.wrapped(MilterReply.escaped($0), to: room) }
        texts.removeLast(max(0, texts.count - MilterReply.maximumLines))
        if texts.isEmpty { texts = [Array("Refused".utf8)] }
        lines = texts.indices.map { index in
            Array("\(code)".utf8) + [index == texts.count - 1 ? .space : UInt8(ascii: "-")] + tail + texts[index]
        }
    }

    /// A reply with a single text.
    public init(code: UInt16, enhancedStatus: String, text: String) {
        self.init(code: code, enhancedStatus: enhancedStatus, text: [Array(text.utf8)[...]])
    }

    /// The packet's data without the terminating NUL: one line, or lines joined by CRLF.
    public var octets: [UInt8] { Array(lines.joined(separator: [.cr, .lf])) }

    // RFC 3463 § 2: class "." subject "." detail; the last two have 1 to 3 digits.
    private static func isStatus(_ status: String, class digit: UInt16) -> Bool {
        let parts = status.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        return parts.count == 3 && parts.first.map { Array($0) } == [UInt8(0x30 + digit)]
            && parts.allSatisfy { (1...3).contains($0.count) && $0.allSatisfy { (0x30...0x39).contains($0) } }
    }

    private static func escaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count + 8)
        for octet in text {
            switch octet {
            case 0x25: result += [0x25, 0x25]
            case 0x20...0x7E: result.append(octet)
            case .tab, .lf, .cr: result.append(.space)
            default: result.append(0x3F)
            }
        }
        return result
    }

    /// Cuts text into pieces of at most `length`, at spaces if there are any, and never between two `%`.
    private static func wrapped(_ text: [UInt8], to length: Int) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = text[...]
        while rest.count > length, pieces.count < maximumLines {
            let window = rest.prefix(length)
            var cut = window.endIndex
            if let space = window.lastIndex(of: .space), space > window.startIndex {
                cut = space
            } else if !window.reversed().prefix(while: { $0 == 0x25 }).count.isMultiple(of: 2) {
                cut -= 1
            }
            pieces.append(Array(rest[..<cut]))
            rest = rest[cut...].drop { $0 == .space }
        }
        if !rest.isEmpty || pieces.isEmpty { pieces.append(Array(rest)) }
        return pieces
    }
}
