/// Writes text that came from outside into header fields, SMTP replies and log lines.
///
/// The contents of HELO, MAIL FROM, a PTR record or a signature end up in fields that others trust. Whatever they hold,
/// the result stays one value on one line: it has no control character, no open quote and no open comment.
public enum FieldText {
    /// The most octets that a value in a field may have: an address of the longest local part and domain.
    public static let maximumValueLength = 64 + 1 + 255

    /// The text as a `value` of RFC 2045 § 5.1: a token if possible, otherwise a quoted-string.
    ///
    /// Returns nil for text that neither form may hold (control characters, octets that are not UTF-8, direction marks
    /// and other invisible characters) and for more than `limit` octets, because a changed value would be wrong.
    public static func value(_ text: Octets, limit: Int = maximumValueLength) -> [UInt8]? {
        guard text.count <= limit, isPrintable(text) else { return nil }
        return !text.isEmpty && text.allSatisfy(\.isToken) ? Array(text) : quotedString(text)
    }

    /// The text as a `pvalue` of RFC 8601 § 2.2: like `value`, but addresses and domain names stay bare.
    public static func propertyValue(_ text: Octets, limit: Int = maximumValueLength) -> [UInt8]? {
        var value = [UInt8]()
        return appendPropertyValue(text, to: &value, limit: limit) ? value : nil
    }

    /// Appends the result of `propertyValue`; returns false, and appends nothing, when the result is nil.
    public static func appendPropertyValue(
        _ text: Octets,
        to octets: inout [UInt8],
        limit: Int = maximumValueLength
    ) -> Bool {
        guard text.count <= limit else { return false }
        if isPropertyToken(text) || isBareIdentity(text) {
            octets.append(contentsOf: text)
            return true
        }
        guard isPrintable(text) else { return false }
        appendQuotedString(text, to: &octets)
        return true
    }

    /// Whether the text is a token that needs no quotes as a `pvalue` of RFC 8601 § 2.2.
    public static func isPropertyToken(_ text: Octets) -> Bool {
        // A token may contain an apostrophe, but some readers take it for a quote.
        !text.isEmpty && text.allSatisfy { $0.isToken && $0 != UInt8(ascii: "'") }
    }

    /// RFC 8601 § 2.2: an e-mail identity must be written as [[local-part] "@"] domain-name.
    private static func isBareIdentity(_ text: Octets) -> Bool {
        guard let at = text.lastIndex(of: UInt8(ascii: "@")), isDomainNameText(text[(at + 1)...]) else { return false }
        return (at == text.startIndex || text[..<at].isDotAtom) && isPrintable(text)
    }

    /// The text for the inside of a comment (RFC 5322 § 3.2.2), in US-ASCII, cut after `limit` octets.
    public static func comment(_ text: Octets, limit: Int = 200) -> [UInt8] {
        var comment = [UInt8]()
        for octet in replyText(text, limit: limit) {
            if octet == UInt8(ascii: "(") || octet == UInt8(ascii: ")") || octet == UInt8(ascii: "\\") {
                comment.append(UInt8(ascii: "\\"))
            }
            comment.append(octet)
        }
        return comment
    }

    /// Appends the text as a log value: unchanged when it is one word, otherwise in quotes; cut after `limit` octets.
    public static func appendLogValue(_ text: Octets, to octets: inout [UInt8], limit: Int = maximumValueLength) {
        if text.count <= limit, isLogWord(text), text.allSatisfy({ $0 < 0x7F }) {
            octets.append(contentsOf: text)
            return
        }
        let text = printable(text, limit: limit)[...]
        if isLogWord(text) { octets.append(contentsOf: text) } else { appendQuotedString(text, to: &octets) }
    }

    private static func isLogWord(_ text: Octets) -> Bool {
        !text.isEmpty
            && text.allSatisfy {
                $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "=")
            }
    }

    /// The text for an SMTP reply (RFC 5321 § 4.2): printable US-ASCII and spaces, cut after `limit` octets.
    public static func replyText(_ text: Octets, limit: Int = 200) -> [UInt8] {
        text.prefix(max(0, limit)).map { $0.isVChar || $0 == .space ? $0 : UInt8(ascii: "?") }
    }

    /// The text on one line: unprintable characters become `?`, and text longer than `limit` octets is cut.
    public static func printable(_ text: Octets, limit: Int) -> [UInt8] {
        if text.count <= limit, isPrintable(text) { return Array(text) }
        var result = [UInt8]()
        for scalar in text.prefix(max(0, limit)).text.unicodeScalars {
            let octets = isPrintable(scalar) ? Array(String(scalar).utf8) : [UInt8(ascii: "?")]
            guard result.count + octets.count <= limit else { break }
            result.append(contentsOf: octets)
        }
        return result
    }

    /// Whether the text is UTF-8 and consists of visible characters and spaces.
    public static func isPrintable(_ text: Octets) -> Bool {
        if text.allSatisfy({ $0.isVChar || $0 == .space }) { return true }
        guard let string = String(validating: text, as: UTF8.self) else { return false }
        return string.unicodeScalars.allSatisfy(isPrintable)
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7F }
        // U+FFFD stands for octets that are not UTF-8.
        guard scalar != "\u{FFFD}" else { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }

    /// A quoted-string (RFC 5322 § 3.2.4) of printable text.
    private static func quotedString(_ text: Octets) -> [UInt8] {
        var quoted = [UInt8]()
        appendQuotedString(text, to: &quoted)
        return quoted
    }

    private static func appendQuotedString(_ text: Octets, to quoted: inout [UInt8]) {
        quoted.append(UInt8(ascii: "\""))
        for octet in text {
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") { quoted.append(UInt8(ascii: "\\")) }
            quoted.append(octet)
        }
        quoted.append(UInt8(ascii: "\""))
    }

    /// domain-name of RFC 6376 § 3.5: sub-domains of RFC 5321 § 4.1.2 with dots between them.
    private static func isDomainNameText(_ text: Octets) -> Bool {
        var previous = UInt8(ascii: ".")
        for octet in text {
            switch octet {
            case UInt8(ascii: "."): if previous == UInt8(ascii: ".") || previous == UInt8(ascii: "-") { return false }
            case UInt8(ascii: "-"): if previous == UInt8(ascii: ".") { return false }
            default: if !octet.isAlpha, !octet.isDigit, octet < 0x80 { return false }
            }
            previous = octet
        }
        return previous != UInt8(ascii: ".") && previous != UInt8(ascii: "-")
    }
}

extension UInt8 {
    /// A character that a token may contain (RFC 2045 § 5.1): printable US-ASCII without the tspecials.
    public var isToken: Bool {
        switch self {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "@"),
            UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"), UInt8(ascii: "\\"), UInt8(ascii: "\""),
            UInt8(ascii: "/"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "?"), UInt8(ascii: "="):
            false
        default: isVChar
        }
    }
}
