internal import MailSyntax

/// Invisible characters outside US-ASCII: readers strip them from the ends of a word, or show nothing.
enum Blanks {
    /// A text with a space for each blank, and for octets that are not UTF-8, because many readers drop them.
    static func asSpaces(_ text: Octets) -> [UInt8] {
        var spaced = [UInt8]()
        spaced.reserveCapacity(text.count)
        for scalar in text.text.unicodeScalars {
            if let ascii = UInt8(exactly: scalar.value), ascii < 0x80 {
                spaced.append(ascii)
            } else if isBlank(scalar.value) {
                spaced.append(.space)
            } else {
                spaced.append(contentsOf: scalar.utf8)
            }
        }
        return spaced
    }

    private static func isBlank(_ scalar: UInt32) -> Bool {
        switch scalar {
        // Unicode's White_Space.
        case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        // Characters without a width, or that only set the writing direction; not joiners, which names may have.
        case 0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0x202A...0x202E, 0x2060...0x206F, 0xFE00...0xFE0F, 0xFEFF:
            true
        // Octets that are not UTF-8.
        case 0xFFFD: true
        default: false
        }
    }
}

extension UInt8 {
    /// Whether readers skip the octet before and after a word: white space, a line end, a control character.
    var isBlank: Bool { self <= 0x20 || self == 0x7F }

    /// Whether a reader would take the octet for part of a service's name.
    var isNameCharacter: Bool {
        isAlpha || isDigit || self >= 0x80 || self == UInt8(ascii: ".") || self == UInt8(ascii: "-")
            || self == UInt8(ascii: "_")
    }
}
