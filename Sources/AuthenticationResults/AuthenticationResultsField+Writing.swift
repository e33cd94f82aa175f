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
        let signatures = signaturePrefixes
        for result in writable {
            writer.append(";")
            writer.fold()
            write(result, signatures: signatures, comments: comments, to: &writer)
        }
        return writer.octets
    }

    private func write(
        _ result: MethodResult,
        signatures: [Octets: Octets],
        comments: Bool,
        to writer: inout FoldingWriter
    ) {
        let version = result.methodVersion.map { "/\($0)" } ?? ""
        writer.append("\(result.method)\(version)=\(result.result)")
        if comments, let comment = result.comment, !comment.isEmpty {
            writer.append(word: Array("(".utf8) + FieldText.comment(comment) + Array(")".utf8))
        }
        if let reason = result.reason, !reason.isEmpty, let value = FieldText.value(FieldText.replyText(reason)[...]) {
            writer.append(word: Array("reason=".utf8) + value)
        }
        for property in result.properties where property.type.isKeyword && property.name.isKeyword {
            let content = result.isSignature(property) ? signatures[property.value] : property.value
            guard let content, !content.isEmpty, let value = FieldText.propertyValue(content) else { continue }
            writer.append(word: Array("\(property.type).\(property.name)=".utf8) + value)
        }
    }

    /// For each signature the prefix that tells it from the others.
    ///
    /// RFC 6008 § 4: header.b holds the first eight octets, or more where these occur twice.
    private var signaturePrefixes: [Octets: Octets] {
        var signatures = Set<Octets>()
        for result in results {
            for property in result.properties where result.isSignature(property) { signatures.insert(property.value) }
        }
        // In order, a signature shares most with one of its neighbours.
        let sorted = signatures.sorted { $0.lexicographicallyPrecedes($1) }
        var prefixes = [Octets: Octets]()
        for (index, signature) in sorted.enumerated() {
            var length = Self.shortestSignaturePrefix
            for neighbour in sorted[max(0, index - 1)..<min(sorted.count, index + 2)] where neighbour != signature {
                let shared = zip(signature, neighbour).prefix { $0 == $1 }.count
                length = max(length, shared + 1)
            }
            prefixes[signature] = signature.prefix(length)
        }
        return prefixes
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

    /// Appends a word behind a space, or on a new line when this one is full.
    mutating func append(word: [UInt8]) {
        if column + 1 + word.count > AuthenticationResultsField.longestLine { fold() } else { append(" ") }
        append(word)
    }

    mutating func fold() {
        octets.append(contentsOf: lineEnd.utf8)
        octets.append(0x09)
        // A tab is as wide as eight characters at most.
        column = 8
    }
}
