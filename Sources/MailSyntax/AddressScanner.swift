/// The lexical tokens of RFC 5322 § 3.2 with their obsolete forms (§ 4.1), read from a position onwards.
struct AddressScanner {
    private let text: Octets
    private(set) var position: Int

    init(_ text: Octets) {
        self.text = text
        position = text.startIndex
    }

    /// The octet at the position; nil at the end.
    var next: UInt8? { position < text.endIndex ? text[position] : nil }

    mutating func advance() {
        if position < text.endIndex { position += 1 }
    }

    /// Steps over the octet when it is this one.
    mutating func take(_ octet: UInt8) -> Bool {
        guard next == octet else { return false }
        position += 1
        return true
    }

    /// atext as far as it goes, perhaps nothing.
    mutating func atom() -> Octets {
        let start = position
        while let octet = next, octet.isAtext { position += 1 }
        return text[start..<position]
    }

    /// CFWS, obs-FWS: white space, folds and comments.
    mutating func skipCFWS() throws(AddressList.SyntaxError) {
        while let octet = next {
            switch octet {
            case 0x20, 0x09: position += 1
            case 0x0D, 0x0A: try skipFold()
            case UInt8(ascii: "("): try skipComment()
            default: return
            }
        }
    }

    /// A line end before white space, which the MTA may have written as CRLF or as LF.
    private mutating func skipFold() throws(AddressList.SyntaxError) {
        _ = take(0x0D)
        guard take(0x0A), let octet = next, octet.isWSP else { throw .forbiddenOctet }
    }

    /// comment, with its nested comments counted rather than entered.
    private mutating func skipComment() throws(AddressList.SyntaxError) {
        var depth = 0
        repeat {
            guard let octet = next else { throw .unterminated }
            switch octet {
            case UInt8(ascii: "("):
                depth += 1
                guard depth <= AddressList.deepestComment else { throw .tooDeep }
                position += 1
            case UInt8(ascii: ")"):
                depth -= 1
                position += 1
            case UInt8(ascii: "\\"): _ = try quotedPair()
            case 0x0D, 0x0A: try skipFold()
            // RFC 5322 § 4.1 lets old messages hold a NUL here; too many readers stop at one.
            case 0x00: throw .forbiddenOctet
            default: position += 1
            }
        } while depth > 0
    }

    /// quoted-pair: the octet behind the backslash.
    private mutating func quotedPair() throws(AddressList.SyntaxError) -> UInt8 {
        position += 1
        guard let octet = next else { throw .unterminated }
        guard octet != 0x00, octet != 0x0D, octet != 0x0A else { throw .forbiddenOctet }
        position += 1
        return octet
    }

    /// quoted-string: what stands between the quotes, without backslashes and line ends.
    mutating func quotedString() throws(AddressList.SyntaxError) -> Octets {
        try delimited(by: UInt8(ascii: "\""))
    }

    /// domain-literal, brackets included.
    mutating func domainLiteral() throws(AddressList.SyntaxError) -> Octets {
        let content = try delimited(by: UInt8(ascii: "]"))
        guard !content.contains(UInt8(ascii: "[")) else { throw .unexpected }
        return [UInt8(ascii: "[")] + content.trimmed + [UInt8(ascii: "]")]
    }

    /// What stands between the delimiter at the position and the next `end` that no backslash precedes.
    private mutating func delimited(by end: UInt8) throws(AddressList.SyntaxError) -> Octets {
        position += 1
        var content = [UInt8]()
        var runStart = position
        while let octet = next {
            switch octet {
            case end:
                let run = text[runStart..<position]
                position += 1
                return content.isEmpty ? run : content + run
            case UInt8(ascii: "\\"):
                content.append(contentsOf: text[runStart..<position])
                content.append(try quotedPair())
                runStart = position
            case 0x0D, 0x0A:
                content.append(contentsOf: text[runStart..<position])
                try skipFold()
                runStart = position
            case 0x00: throw .forbiddenOctet
            default: position += 1
            }
        }
        throw .unterminated
    }
}
