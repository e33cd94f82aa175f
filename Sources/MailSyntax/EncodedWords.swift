/// Encoded words in a header field (RFC 2047 § 2): `=?charset?encoding?text?=`.
package enum EncodedWords {
    /// Whether a text may have an encoded word in it.
    package static func mayBe(in text: Octets) -> Bool { next("=?", in: text) != nil }

    /// A text with what its encoded words stand for in their places; nil when one cannot be read.
    package static func spelledOut(_ text: Octets) -> [UInt8]? { decoded(in: text, keepsRest: true) }

    /// What all encoded words of a text stand for, one behind the other as readers show them; nil when one cannot be read.
    ///
    /// The octets stay in their charset. Those of mail have US-ASCII in them, two-octet ones with a NUL beside each character,
    /// which is left out.
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

    /// Base64 as readers take it; nil where they differ, which they do behind padding.
    ///
    /// RFC 2045 § 6.8: characters outside of the alphabet are passed over.
    private static func base64(_ text: Octets) -> [UInt8]? {
        let padding = UInt8(ascii: "=")
        let characters = text.filter {
            $0.isAlpha || $0.isDigit || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/") || $0 == padding
        }
        let digits = characters.prefix { $0 != padding }
        guard characters[digits.endIndex...].allSatisfy({ $0 == padding }) else { return nil }
        // A single character at the end is less than an octet.
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
