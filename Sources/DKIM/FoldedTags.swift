internal import MailSyntax

/// Writes tags into lines of at most 78 octets where possible (RFC 5322 § 2.1.1).
package struct FoldedTags {
    /// The text so far.
    package private(set) var octets: [UInt8] = []
    /// The length of the current line in octets; the first line begins with the name of the field.
    private var column: Int

    /// The value of a field of this name, empty so far.
    package init(fieldName: String) { column = fieldName.utf8.count + 1 }

    /// Continues after octets that have a fold.
    package init(octets: [UInt8]) {
        self.octets = octets
        column = octets.count - (octets.lastIndex(of: .lf) ?? -1)
    }

    /// Adds text that must not be broken; with a space before it if `apart`.
    package mutating func add(_ text: String, apart: Bool = true) {
        let length = text.utf8.count + (apart ? 1 : 0)
        if column + length > 78, column > 1 {
            fold()
        } else if apart {
            octets.append(.space)
            column += 1
        }
        octets.append(text)
        column += text.utf8.count
    }

    /// Adds text that may be broken at any place.
    package mutating func addBroken(_ text: [UInt8]) {
        var rest = text[...]
        while !rest.isEmpty {
            if column >= 78 { fold() }
            let part = rest.prefix(78 - column)
            octets.append(contentsOf: part)
            column += part.count
            rest = rest.dropFirst(part.count)
        }
    }

    private mutating func fold() {
        octets.append(contentsOf: [.cr, .lf, .tab])
        column = 1
    }
}
