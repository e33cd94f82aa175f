/// The lexical tokens of RFC 5322 § 3.2 with their obsolete forms (§ 4.1), read from a position onwards.
package struct FieldScanner {
    /// The deepest nesting of comments that is accepted.
    package static let deepestComment = 64

    private let text: Octets
    package private(set) var position: Int

    /// A scanner at the beginning of a text.
    package init(_ text: Octets) {
        self.text = text
        position = text.startIndex
    }

    /// The octet at the position; nil at the end.
    package var next: UInt8? { position < text.endIndex ? text[position] : nil }

    /// Moves over one octet, unless the scanner is at the end.
    package mutating func advance() {
        if position < text.endIndex { position += 1 }
    }

    /// Moves over the next octet when it equals `octet`, and tells whether it did.
    package mutating func take(_ octet: UInt8) -> Bool {
        guard next == octet else { return false }
        position += 1
        return true
    }

    /// Moves over octets as long as they satisfy a condition, and returns them.
    package mutating func run(while condition: (UInt8) -> Bool) -> Octets {
        let start = position
        while let octet = next, condition(octet) { position += 1 }
        return text[start..<position]
    }

    /// The octets between an earlier position and the current one.
    package func text(since start: Int) -> Octets {
        text[min(max(start, text.startIndex), position)..<position]
    }

    /// atext up to the first other character; may be empty.
    package mutating func atom() -> Octets {
        run(while: \.isAtext)
    }

    /// CFWS: white space, folds and comments.
    package mutating func skipCFWS() throws(StructuredFieldError) {
        try skipFWS()
        while next == UInt8(ascii: "(") {
            _ = try comment()
            try skipFWS()
        }
    }

    /// FWS, obs-FWS: white space and folds.
    package mutating func skipFWS() throws(StructuredFieldError) {
        while let octet = next {
            switch octet {
            case .space, .tab: position += 1
            case .cr, .lf: try skipFold()
            default: return
            }
        }
    }

    /// A line end before white space; the MTA may have written it as CRLF or as LF.
    private mutating func skipFold() throws(StructuredFieldError) {
        _ = take(.cr)
        guard take(.lf), let octet = next, octet.isWSP else { throw .forbiddenOctet }
    }

    /// comment: the text between its parentheses; nested comments are counted, not entered.
    ///
    /// - Parameter deepest: the deepest nesting that is accepted.
    package mutating func comment(
        nested deepest: Int = Self.deepestComment
    ) throws(StructuredFieldError) -> Octets {
        let start = position
        var depth = 0
        repeat {
            guard let octet = next else { throw .unterminated }
            switch octet {
            case UInt8(ascii: "("):
                depth += 1
                guard depth <= deepest else { throw .tooDeep }
                position += 1
            case UInt8(ascii: ")"):
                depth -= 1
                position += 1
            case UInt8(ascii: "\\"): _ = try quotedPair()
            case .cr, .lf: try skipFold()
            // RFC 5322 § 4.1 allows a NUL in old messages; too many readers stop at a NUL.
            case 0x00: throw .forbiddenOctet
            default: position += 1
            }
        } while depth > 0
        return text(since: start).dropFirst().dropLast()
    }

    /// quoted-pair: the octet behind the backslash.
    private mutating func quotedPair() throws(StructuredFieldError) -> UInt8 {
        position += 1
        guard let octet = next else { throw .unterminated }
        guard octet != 0x00, octet != .cr, octet != .lf else { throw .forbiddenOctet }
        position += 1
        return octet
    }

    /// domain-literal, with its brackets and without the white space that it may contain.
    ///
    /// Quoted pairs, which RFC 5322 § 4.4 allows in old messages only (obs-dtext), are refused.
    mutating func domainLiteral() throws(StructuredFieldError) -> Octets {
        position += 1
        var literal = [UInt8(ascii: "[")]
        repeat {
            try skipFWS()
            guard let octet = next else { throw .unterminated }
            let run = run { $0.isDtext }
            guard !run.isEmpty || octet == UInt8(ascii: "]") else {
                throw octet == 0x00 ? .forbiddenOctet : .unexpected
            }
            literal.append(contentsOf: run)
        } while !take(UInt8(ascii: "]"))
        literal.append(UInt8(ascii: "]"))
        return literal[...]
    }

    /// quoted-string: the text between the quotes, without backslashes and line ends.
    package mutating func quotedString() throws(StructuredFieldError) -> Octets {
        position += 1
        var content = [UInt8]()
        var runStart = position
        while let octet = next {
            switch octet {
            case UInt8(ascii: "\""):
                let run = text[runStart..<position]
                position += 1
                return content.isEmpty ? run : content + run
            case UInt8(ascii: "\\"):
                content.append(contentsOf: text[runStart..<position])
                content.append(try quotedPair())
                runStart = position
            case .cr, .lf:
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

extension UInt8 {
    /// A character that a domain literal may hold (RFC 5322 § 3.4.1, dtext; RFC 6532 § 3.2).
    fileprivate var isDtext: Bool {
        switch self {
        case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "\\"): false
        default: isVChar || self >= 0x80
        }
    }
}
