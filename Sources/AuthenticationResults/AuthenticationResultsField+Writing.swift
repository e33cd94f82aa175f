internal import MailSyntax

extension AuthenticationResultsField {
    /// How long a line gets before it is folded, if it can be (RFC 5322 § 2.1.1).
    static let longestLine = 78

    /// How many octets of a signature identify it unless another begins alike (RFC 6008 § 4).
    static let shortestSignaturePrefix = 8

    /// The field's value, without the space behind the colon.
    ///
    /// Each result begins a line of its own. A property whose value is empty, or can be written neither as a token nor as
    /// a quoted string, is left out, as RFC 8601 § 2.2 allows; so is a result or property whose name is no keyword.
    ///
    /// - Parameters:
    ///   - lineEnd: the line end in front of a continuation line; MTAs want LF from a milter.
    ///   - comments: whether the comments behind results are written.
    public func value(lineEnd: String = "\n", comments: Bool = false) -> [UInt8] {
        var writer = FoldingWriter(lineEnd: lineEnd, column: "Authentication-Results: ".utf8.count)
        let name = FieldText.printable(authservID, limit: FieldText.longestValue)[...]
        writer.append(FieldText.value(name) ?? [])
        if let version { writer.append(" \(version)") }
        let writable = results.filter { $0.method.isKeyword && $0.result.isKeyword }
        guard !writable.isEmpty else {
            writer.append("; none")
            return writer.octets
        }
        for result in writable {
            writer.append(";")
            writer.fold()
            write(result, comments: comments, to: &writer)
        }
        return writer.octets
    }

    private func write(
        _ result: MethodResult,
        comments: Bool,
        to writer: inout FoldingWriter
    ) {
        writer.append(result.method)
        if let version = result.methodVersion { writer.append("/\(version)") }
        writer.append("=")
        writer.append(result.result)
        if comments, let comment = result.comment, !comment.isEmpty {
            writer.append(words: "(", value: FieldText.comment(comment) + [UInt8(ascii: ")")])
        }
        if let reason = result.reason, !reason.isEmpty, let value = FieldText.value(FieldText.replyText(reason)[...]) {
            writer.append(words: "reason", "=", value: value)
        }
        for property in result.properties where property.type.isKeyword && property.name.isKeyword {
            let content = result.isSignature(property) ? prefix(of: property.value) : property.value
            guard !content.isEmpty, let value = FieldText.propertyValue(content) else { continue }
            writer.append(words: property.type, ".", property.name, "=", value: value)
        }
    }

    /// As much of a signature as tells it from the others.
    ///
    /// RFC 6008 § 4: header.b holds the first eight octets, or more where these occur twice.
    private func prefix(of signature: Octets) -> Octets {
        var length = Self.shortestSignaturePrefix
        for result in results {
            for other in result.properties where result.isSignature(other) && other.value != signature {
                length = max(length, zip(signature, other.value).prefix { $0 == $1 }.count + 1)
            }
        }
        return signature.prefix(length)
    }
}

extension MethodResult {
    fileprivate func isSignature(_ property: Property) -> Bool {
        method == "dkim" && property.type == "header" && property.name == "b"
    }
}

extension String {
    /// Keyword of RFC 5321 § 4.1.2: letters, digits and hyphens that do not end it.
    fileprivate var isKeyword: Bool {
        guard let last = utf8.last, last.isAlpha || last.isDigit else { return false }
        return utf8.allSatisfy { $0.isAlpha || $0.isDigit || $0 == UInt8(ascii: "-") }
    }
}

/// Collects words on lines of a bounded length.
private struct FoldingWriter {
    private(set) var octets: [UInt8] = []
    private let lineEnd: String
    private var column: Int

    init(lineEnd: String, column: Int) {
        self.lineEnd = lineEnd
        self.column = column
        octets.reserveCapacity(400)
    }

    mutating func append(_ text: String) {
        octets.append(contentsOf: text.utf8)
        column += text.utf8.count
    }

    mutating func append(_ text: [UInt8]) {
        octets.append(contentsOf: text)
        column += text.count
    }

    /// Appends words and a value, joined, behind a space, or on a new line when this one is full.
    mutating func append(words: String..., value: [UInt8]) {
        let width = words.reduce(value.count) { $0 + $1.utf8.count }
        if column + 1 + width > AuthenticationResultsField.longestLine { fold() } else { append(" ") }
        for word in words { append(word) }
        append(value)
    }

    mutating func fold() {
        octets.append(contentsOf: lineEnd.utf8)
        octets.append(0x09)
        // A tab is as wide as eight characters at most.
        column = 8
    }
}
