internal import MailSyntax

/// A reply to an SMTP command (RFC 5321 § 4.2, RFC 3463).
public struct PolicyReply: Hashable, Sendable, CustomStringConvertible {
    /// The reply code, 4xx or 5xx.
    public let code: Int
    /// The enhanced status code.
    public let enhanced: String
    /// Printable US-ASCII on one line, at most 400 octets.
    public let text: String

    /// The reply as sent.
    public var description: String { "\(code) \(enhanced) \(text)" }
}

extension PolicyReply {
    /// The longest text of a reply.
    ///
    /// RFC 5321 § 4.5.3.1.5 allows 512 octets for a reply line, codes and line end included.
    static let maximumText = 400

    init(code: Int, enhanced: String, bounding text: String) {
        self.code = code
        self.enhanced = enhanced
        self.text = text.utf8.count > Self.maximumText ? String(text.prefix(Self.maximumText - 3)) + "..." : text
    }
}

/// Makes text from the network safe for a reply.
enum ReplyText {
    /// The text if it is a plain word; otherwise the result of `inQuotes`.
    static func quoted(_ text: String, limit: Int) -> String {
        let octets = text.utf8
        let isPlain =
            !octets.isEmpty && octets.count <= limit
            && octets.allSatisfy { $0.isVCharUnquoted }
        return isPlain ? text : inQuotes(text, limit: limit)
    }

    /// The text in quotes: printable, on one line, and cut to `limit` octets.
    static func inQuotes(_ text: String, limit: Int) -> String {
        let octets = text.utf8
        var result = [UInt8(ascii: "\"")]
        for octet in octets.prefix(limit) {
            switch octet {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): result.append(UInt8(ascii: "'"))
            case 0x20...0x7E: result.append(octet)
            case .tab, .lf, .cr: result.append(.space)
            default: result.append(UInt8(ascii: "?"))
            }
        }
        if octets.count > limit { result += [UInt8](repeating: UInt8(ascii: "."), count: 3) }
        result.append(UInt8(ascii: "\""))
        return String(decoding: result, as: UTF8.self)
    }
}

extension UInt8 {
    /// A printable character that no reader can take for the end of a word.
    fileprivate var isVCharUnquoted: Bool {
        switch self {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ";"),
            UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ","):
            false
        default: self > 0x20 && self < 0x7F
        }
    }
}
