public import MailSyntax

extension AuthenticationResultsField {
    /// The most results that a field may have, and the most properties of a result.
    public static let maximumMembers = 256

    /// Reads the value of a field, folds and leading space included.
    ///
    /// Two things beyond RFC 8601 § 2.2 are accepted, because real fields have them: characters in a bare value that
    /// require quotes, such as the colons of an IPv6 address, and a semicolon at the end.
    public init(parsing value: Octets) throws(SyntaxError) {
        var parser = ResultsParser(value.trimmed)
        self = try parser.field()
    }
}

/// Reads the rules of RFC 8601 § 2.2.
private struct ResultsParser {
    private var scanner: FieldScanner

    init(_ text: Octets) {
        scanner = FieldScanner(text)
    }

    /// authres-payload.
    mutating func field() throws(StructuredFieldError) -> AuthenticationResultsField {
        try scanner.skipCFWS()
        let authservID = try value(orElse: .empty)
        try scanner.skipCFWS()
        var field = AuthenticationResultsField(authservID: authservID, version: try number(), results: [])
        try scanner.skipCFWS()
        while scanner.next != nil {
            guard scanner.take(UInt8(ascii: ";")) else { throw .unexpected }
            try scanner.skipCFWS()
            guard scanner.next != nil else { break }
            guard field.results.count < AuthenticationResultsField.maximumMembers else { throw .tooMany }
            let method = try keyword()
            try scanner.skipCFWS()
            // no-result
            if method == "none", scanner.next == nil, field.results.isEmpty { return field }
            field.results.append(try result(of: method))
        }
        guard !field.results.isEmpty else { throw .empty }
        return field
    }

    /// resinfo, whose method name has been read.
    private mutating func result(of method: String) throws(StructuredFieldError) -> MethodResult {
        var version: Int?
        if scanner.take(UInt8(ascii: "/")) {
            try scanner.skipCFWS()
            version = try number()
            guard version != nil else { throw .unexpected }
            try scanner.skipCFWS()
        }
        try separator(UInt8(ascii: "="))
        var result = MethodResult(method, try keyword())
        result.methodVersion = version
        result.comment = try comment()
        while let octet = scanner.next, octet != UInt8(ascii: ";") {
            guard result.properties.count < AuthenticationResultsField.maximumMembers else { throw .tooMany }
            let type = try keyword()
            try scanner.skipCFWS()
            // reasonspec
            if type == "reason", scanner.next == UInt8(ascii: "="), result.reason == nil, result.properties.isEmpty {
                try separator(UInt8(ascii: "="))
                result.reason = try value(orElse: .unexpected)
            } else {
                try separator(UInt8(ascii: "."))
                let name = try keyword()
                try scanner.skipCFWS()
                try separator(UInt8(ascii: "="))
                result.properties.append(MethodResult.Property(type, name, try propertyValue()))
            }
            try scanner.skipCFWS()
        }
        return result
    }

    private mutating func separator(_ octet: UInt8) throws(StructuredFieldError) {
        guard scanner.take(octet) else { throw .unexpected }
        try scanner.skipCFWS()
    }

    /// Keyword, in lower case: all keywords are compared without regard to case (RFC 8601 § 2.2, RFC 5234 § 2.3).
    private mutating func keyword() throws(StructuredFieldError) -> String {
        let keyword = scanner.run { $0.isAlpha || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        guard !keyword.isEmpty else { throw .unexpected }
        return String(decoding: keyword.map(\.lowercased), as: UTF8.self)
    }

    private mutating func number() throws(StructuredFieldError) -> Int? {
        let digits = scanner.run(while: \.isDigit)
        guard !digits.isEmpty else { return nil }
        guard let number = Int(digits.text) else { throw .unexpected }
        return number
    }

    /// value: a quoted-string or a token.
    private mutating func value(orElse error: StructuredFieldError) throws(StructuredFieldError) -> Octets {
        if scanner.next == UInt8(ascii: "\"") { return try scanner.quotedString() }
        let token = scanner.run { $0.isToken || $0 >= 0x80 }
        guard !token.isEmpty else { throw error }
        return token
    }

    /// pvalue: a value, or an address or domain name.
    private mutating func propertyValue() throws(StructuredFieldError) -> Octets {
        guard scanner.next == UInt8(ascii: "\"") else {
            let value = scanner.run(while: Self.mayStandBare)
            guard !value.isEmpty else { throw .unexpected }
            return value
        }
        let start = scanner.position
        let content = try scanner.quotedString()
        guard scanner.next == UInt8(ascii: "@") else { return content }
        // The local part is quoted: the address is kept as it is written.
        _ = scanner.run(while: Self.mayStandBare)
        return scanner.text(since: start)
    }

    private static func mayStandBare(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: ";"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\""), UInt8(ascii: "\\"): false
        default: octet.isVChar || octet >= 0x80
        }
    }

    /// The text of the first comment in CFWS.
    private mutating func comment() throws(StructuredFieldError) -> Octets? {
        try scanner.skipFWS()
        let comment = scanner.next == UInt8(ascii: "(") ? try scanner.comment() : nil
        try scanner.skipCFWS()
        return comment
    }
}
