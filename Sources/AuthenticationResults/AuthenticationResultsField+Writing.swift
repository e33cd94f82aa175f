public import MailSyntax

extension AuthenticationResultsField {
    /// How many octets of a signature identify it unless another signature begins alike (RFC 6008 § 4).
    public static let shortestSignaturePrefix = 8
    /// The most octets that the prefix may have: 384 bits of a signature.
    public static let maximumSignaturePrefixLength = 64

    /// The field's value, without the space behind the colon.
    ///
    /// Each result begins a line of its own. A property is left out if its value is empty, or can be written neither as
    /// a token nor as a quoted string, as RFC 8601 § 2.2 allows. So is a result or property whose name is no keyword.
    ///
    /// - Parameters:
    ///   - lineEnd: the line end before a continuation line; MTAs expect LF from a milter.
    ///   - comments: whether to write the comments after results.
    public func value(lineEnd: String = "\n", comments: Bool = false) -> [UInt8] {
        var writer = AuthenticationResultsWriter(authservID: authservID, version: version, lineEnd: lineEnd)
        let writable = results.filter { $0.method.isKeyword && $0.result.isKeyword }
        if writable.isEmpty { writer.none() }
        let signatures = results.flatMap { result in result.properties.filter(result.isSignature).map(\.value) }
        for var result in writable {
            if !comments { result.comment = nil }
            write(result, signatures, to: &writer)
        }
        return writer.octets
    }

    private func write(_ result: MethodResult, _ signatures: [Octets], to writer: inout AuthenticationResultsWriter) {
        writer.begin(result.method, version: result.methodVersion, result.result)
        if let comment = result.comment { writer.comment(comment) }
        if let reason = result.reason { writer.reason(reason) }
        for property in result.properties where property.type.isKeyword && property.name.isKeyword {
            let isSignature = result.isSignature(property)
            let value = isSignature ? Self.signaturePrefix(of: property.value, among: signatures) : property.value
            writer.property(property.type, property.name, value)
        }
    }

    /// The shortest prefix of a signature that differs from the other signatures; `signatures` may include it.
    ///
    /// RFC 6008 § 4: header.b has the first eight octets, or more if these are not unique. Signatures with the same
    /// first `maximumSignaturePrefixLength` octets were made to be confused, and do not deserve a line that
    /// distinguishes them.
    public static func signaturePrefix(of signature: Octets, among signatures: [Octets]) -> Octets {
        let start = signature.prefix(maximumSignaturePrefixLength)
        var length = shortestSignaturePrefix
        for other in signatures where !other.starts(with: start) {
            length = max(length, zip(start, other).prefix { $0 == $1 }.count + 1)
        }
        return start.prefix(length)
    }
}

extension MethodResult {
    fileprivate func isSignature(_ property: Property) -> Bool {
        method == "dkim" && property.type == "header" && property.name == "b"
    }
}

extension String {
    /// Keyword of RFC 5321 § 4.1.2: letters, digits and hyphens; the last character is not a hyphen.
    fileprivate var isKeyword: Bool {
        guard let last = utf8.last, last.isAlpha || last.isDigit else { return false }
        return utf8.allSatisfy { $0.isAlpha || $0.isDigit || $0 == UInt8(ascii: "-") }
    }
}
