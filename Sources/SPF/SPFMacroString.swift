public import MailSyntax

/// One macro of a macro-string: a letter and its transformers (RFC 7208 § 7.1, macro-expand).
public struct SPFMacro: Hashable, Sendable {
    /// The value that a macro stands for (RFC 7208 § 7.2); the raw values are the macro letters.
    public enum Letter: UInt8, Hashable, Sendable {
        /// `s`: the sender.
        case sender = 0x73
        /// `l`: the local-part of the sender.
        case localPart = 0x6C
        /// `o`: the domain of the sender.
        case senderDomain = 0x6F
        /// `d`: the current domain.
        case domain = 0x64
        /// `i`: the client's address, with dots.
        case address = 0x69
        /// `p`: the validated name of the client's address.
        case validatedName = 0x70
        /// `v`: `in-addr` or `ip6`.
        case version = 0x76
        /// `h`: the HELO name.
        case helo = 0x68
        /// `c`: the client's address as people write it; in explanations only.
        case readableAddress = 0x63
        /// `r`: the host that checks; in explanations only.
        case receiver = 0x72
        /// `t`: the time in seconds; in explanations only.
        case timestamp = 0x74

        /// RFC 7208 § 7.2: `c`, `r` and `t` "are allowed only in 'exp' text".
        var isForExplanationOnly: Bool { self == .readableAddress || self == .receiver || self == .timestamp }
    }

    /// The value that the macro stands for.
    public let letter: Letter
    /// Whether the letter is in upper case: then the value is URL-escaped (RFC 7208 § 7.3).
    public let isURLEscaped: Bool
    /// How many parts on the right are kept; 0 keeps all.
    ///
    /// A number above 255 becomes 255, because no name has that many parts.
    public let partCount: UInt8
    /// Whether the parts are put in reverse order.
    public let isReversed: Bool
    /// The delimiters that split the value: one bit for each of `SPFMacro.delimiterOctets`; 0 is the dot alone.
    public let delimiters: UInt8

    /// The octets that may be delimiters (RFC 7208 § 7.1, delimiter).
    static let delimiterOctets = Array(".-+,/_=".utf8)

    /// Whether the value stays in one piece.
    var isPlain: Bool { partCount == 0 && !isReversed && delimiters & ~1 == 0 }

    /// Whether the value is split at this octet.
    func splits(at octet: UInt8) -> Bool {
        if delimiters == 0 { return octet == UInt8(ascii: ".") }
        guard let index = Self.delimiterOctets.firstIndex(of: octet) else { return false }
        return delimiters >> index & 1 == 1
    }
}

/// Text with macros, parsed but not expanded (RFC 7208 § 7.1, macro-string).
public struct SPFMacroString: Sendable {
    /// A piece of the string; the offsets count from the start of the text.
    enum Part: Hashable, Sendable {
        /// Octets that stand for themselves.
        case literal(start: Int32, end: Int32)
        /// `%_`.
        case space
        /// `%-`.
        case escapedSpace
        /// `%{…}`.
        case macro(SPFMacro)
    }

    /// The text as it was written.
    public let text: Octets
    let parts: [Part]

    /// The octets of a literal part.
    func literal(_ start: Int32, _ end: Int32) -> Octets {
        text[(text.startIndex + Int(start))..<(text.startIndex + Int(end))]
    }

    /// Whether a macro with this letter occurs.
    func uses(_ letter: SPFMacro.Letter) -> Bool {
        parts.contains { if case .macro(let macro) = $0 { macro.letter == letter } else { false } }
    }
}
