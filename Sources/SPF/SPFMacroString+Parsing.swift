public import MailSyntax

extension SPFMacroString {
    /// The place of a macro-string.
    public enum Place: Hashable, Sendable {
        /// In a record, where spaces end a term.
        case record
        /// In the text that an "exp" modifier points to (RFC 7208 § 6.2, explain-string).
        case explanation
    }

    /// Reads a macro-string (RFC 7208 § 7.1).
    public init(parsing text: Octets, in place: Place) throws(SPFRecord.SyntaxError.Reason) {
        guard text.count <= Int(Int32.max) else { throw .invalidMacro }
        var parts = [Part]()
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == UInt8(ascii: "%") {
                let expansion = try Self.expansion(text[index...], in: place, offset: Int32(index - text.startIndex))
                parts.append(expansion.part)
                index += expansion.length
            } else {
                let start = index
                while index < text.endIndex, Self.isLiteral(text[index], in: place) { index += 1 }
                guard index > start else { throw .forbiddenOctet }
                parts.append(
                    .literal(start: Int32(start - text.startIndex), end: Int32(index - text.startIndex))
                )
            }
        }
        self.text = text
        self.parts = parts
    }

    /// RFC 7208 § 7.1: macro-literal = %x21-24 / %x26-7E; § 6.2: an explain-string may also hold spaces.
    private static func isLiteral(_ octet: UInt8, in place: Place) -> Bool {
        octet.isVChar && octet != UInt8(ascii: "%") || place == .explanation && octet == .space
    }

    /// Reads the macro-expand at the beginning of `text`.
    private static func expansion(
        _ text: Octets,
        in place: Place,
        offset: Int32
    ) throws(SPFRecord.SyntaxError.Reason) -> (part: Part, length: Int) {
        switch text.dropFirst().first {
        // The second percent sign stands for itself.
        case UInt8(ascii: "%"): return (.literal(start: offset + 1, end: offset + 2), 2)
        case UInt8(ascii: "_"): return (.space, 2)
        case UInt8(ascii: "-"): return (.escapedSpace, 2)
        case UInt8(ascii: "{"):
            guard let end = text.firstIndex(of: UInt8(ascii: "}")) else { throw .invalidMacro }
            let macro = try SPFMacro(parsing: text[(text.startIndex + 2)..<end])
            // RFC 7208 § 7.2: the letters c, r and t are for explanations.
            guard place == .explanation || !macro.letter.isForExplanationOnly else { throw .invalidMacro }
            return (.macro(macro), end + 1 - text.startIndex)
        // RFC 7208 § 7.1: "A '%' character not followed by a '{', '%', '-', or '_' character is a syntax error."
        default: throw .invalidMacro
        }
    }
}

extension SPFMacro {
    /// Reads the text between the braces: macro-letter transformers *delimiter (RFC 7208 § 7.1).
    init(parsing text: Octets) throws(SPFRecord.SyntaxError.Reason) {
        guard let first = text.first, let letter = Letter(rawValue: first.lowercased) else { throw .invalidMacro }
        let digits = text.dropFirst().prefix { $0.isDigit }
        var count = 0
        for digit in digits { count = min(count * 10 + Int(digit - 0x30), 255) }
        // RFC 7208 § 7.3: "If a DIGIT is specified, the value MUST be nonzero."
        guard digits.isEmpty || count > 0 else { throw .invalidMacro }
        var rest = text[digits.endIndex...]
        let isReversed = rest.first?.lowercased == UInt8(ascii: "r")
        if isReversed { rest = rest.dropFirst() }
        var delimiters: UInt8 = 0
        for octet in rest {
            guard let index = Self.delimiterOctets.firstIndex(of: octet) else { throw .invalidMacro }
            delimiters |= 1 << index
        }
        self.letter = letter
        self.isURLEscaped = first != first.lowercased
        self.partCount = UInt8(count)
        self.isReversed = isReversed
        self.delimiters = delimiters
    }
}
