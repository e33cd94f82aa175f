internal import MailSyntax

/// Writes elements of XML without attributes, in US-ASCII: other characters are written by their numbers.
///
/// Some readers of reports take a file for US-ASCII before they look into it.
struct XMLText {
    private(set) var octets = [UInt8]()

    /// Writes an element with elements in it.
    mutating func element(_ name: StaticString, _ content: (inout XMLText) -> Void) {
        octets.append("<\(name)>")
        content(&self)
        octets.append("</\(name)>\n")
    }

    /// Writes an element with a text in it.
    mutating func element(_ name: StaticString, _ text: String, most: Int = .max) {
        octets.append("<\(name)>")
        append(text, most: most)
        octets.append("</\(name)>\n")
    }

    /// Writes an element with a text, unless there is none.
    mutating func element(_ name: StaticString, _ text: String?, most: Int = .max) {
        if let text { element(name, text, most: most) }
    }

    /// Writes markup as it is.
    mutating func markup(_ text: StaticString) { octets.append(text.description) }

    private mutating func append(_ text: String, most: Int) {
        for character in text.unicodeScalars.prefix(most) {
            switch character {
            case "&": octets.append("&amp;")
            case "<": octets.append("&lt;")
            case ">": octets.append("&gt;")
            default: append(character.inXML)
            }
        }
    }
}

extension XMLText {
    /// Writes a character that is no markup (XML 1.0 § 4.1, CharRef).
    private mutating func append(_ character: Unicode.Scalar) {
        if character.isASCII {
            octets.append(UInt8(truncatingIfNeeded: character.value))
        } else {
            octets.append("&#\(character.value);")
        }
    }
}

extension Unicode.Scalar {
    /// The character, or U+FFFD where XML 1.0 has it not (§ 2.2, Char); a CR, which a parser makes a LF (§ 2.11), too.
    var inXML: Unicode.Scalar {
        switch value {
        case 0x09, 0x0A, 0x20...0xD7FF, 0xE000...0xFFFD, 0x1_0000...0x10_FFFF: self
        default: "\u{FFFD}"
        }
    }
}
