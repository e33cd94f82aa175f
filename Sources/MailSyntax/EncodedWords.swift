/// Encoded words in a header field (RFC 2047 § 2): `=?charset?encoding?text?=`.
package enum EncodedWords {
    /// Whether a text may contain an encoded word.
    package static func mayBe(in text: Octets) -> Bool { next("=?", in: text) != nil }

    /// A text with each encoded word replaced by its decoded content; nil when one cannot be decoded.
    package static func spelledOut(_ text: Octets) -> [UInt8]? { decoded(in: text, keepsRest: true) }

    /// The decoded content of all encoded words of a text, joined as readers show it; nil when one cannot be decoded.
    ///
    /// The octets stay in their charset. Every charset used in mail contains US-ASCII. Charsets of two octets have a
    /// NUL beside each US-ASCII character; the NULs are left out.
    static func decoded(in text: Octets) -> [UInt8]? { decoded(in: text, keepsRest: false) }

    private static func decoded(in text: Octets, keepsRest: Bool) -> [UInt8]? {
        var decoded = [UInt8]()
        var rest = text
        var wordEnd = text.startIndex
        while let start = next("=?", in: rest) {
            rest = rest[(start + 2)...]
            let charset = rest.prefix { $0 != UInt8(ascii: "?") }
            let encoding = rest[charset.endIndex...].dropFirst().prefix(2)
            guard encoding.count == 2, encoding.last == UInt8(ascii: "?") else { continue }
            let isBase64 = encoding.first?.lowercased == UInt8(ascii: "b")
            guard isBase64 || encoding.first?.lowercased == UInt8(ascii: "q") else { continue }
            let content = rest[encoding.endIndex...]
            guard let end = next("?=", in: content) else { break }
            // UTF-7 (RFC 2152) writes an "@" in other characters.
            guard !charset.equalsIgnoringCase("utf-7") else { return nil }
            guard let octets = isBase64 ? base64(content[..<end]) : quoted(content[..<end]) else { return nil }
            if keepsRest { decoded += text[wordEnd..<start] }
            decoded += octets.filter { $0 != 0 }
            wordEnd = end + 2
            rest = rest[wordEnd...]
        }
        return keepsRest ? decoded + text[wordEnd...] : decoded
    }

    private static func next(_ pair: StaticString, in text: Octets) -> Int? {
        text.indices.dropLast().first { text[$0].isMark && text[$0..<$0 + 2].equalsIgnoringCase(pair) }
    }

    /// Base64 as mail readers decode it; nil for text behind padding, where readers differ.
    ///
    /// RFC 2045 § 6.8: characters outside of the alphabet are ignored.
    private static func base64(_ text: Octets) -> [UInt8]? {
        let padding = UInt8(ascii: "=")
        let characters = text.filter {
            $0.isAlpha || $0.isDigit || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/") || $0 == padding
        }
        let digits = characters.prefix { $0 != padding }
        guard characters[digits.endIndex...].allSatisfy({ $0 == padding }) else { return nil }
        // A single character at the end makes less than an octet.
        return Base64.decode(digits.count % 4 == 1 ? digits.dropLast() : digits)
    }

    /// RFC 2047 § 4.2: an octet is written `=XX`, and a space `_`.
    private static func quoted(_ text: Octets) -> [UInt8] {
        var octets = [UInt8]()
        var rest = text
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "="), let high = rest.first?.hexValue, let low = rest.dropFirst().first?.hexValue {
                octets.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                octets.append(octet == UInt8(ascii: "_") ? .space : octet)
            }
        }
        return octets
    }
}

extension UInt8 {
    /// One of the two characters that begin and end an encoded word.
    fileprivate var isMark: Bool { self == UInt8(ascii: "=") || self == UInt8(ascii: "?") }
}
