extension DomainName {
    /// Reads the identifier of a List-Id field (RFC 2919 § 3): `[phrase] "<" list-id ">"`.
    ///
    /// - Returns: nil for a value of another form. Readers would differ about what it names.
    public init?(listID value: Octets) {
        var scanner = FieldScanner(value)
        do throws(StructuredFieldError) {
            try scanner.skipPhrase()
            guard scanner.take(UInt8(ascii: "<")) else { return nil }
            // RFC 2919 § 2: dot-atom-text, so neither white space nor comments.
            let text = scanner.run { $0.isAtext || $0 == UInt8(ascii: ".") }
            guard scanner.take(UInt8(ascii: ">")) else { return nil }
            try scanner.skipCFWS()
            guard scanner.next == nil, let name = try? DomainName(text), name.labelCount > 1 else { return nil }
            self = name
        } catch {
            return nil
        }
    }
}

extension FieldScanner {
    /// Moves to the `<` behind a phrase, over quoted strings and comments, or to the end.
    fileprivate mutating func skipPhrase() throws(StructuredFieldError) {
        while let octet = next, octet != UInt8(ascii: "<") {
            switch octet {
            case UInt8(ascii: "\""): _ = try quotedString()
            case UInt8(ascii: "("): _ = try comment()
            default: advance()
            }
        }
    }
}
