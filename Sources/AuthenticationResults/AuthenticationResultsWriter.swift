public import MailSyntax

/// Writes the value of an Authentication-Results field piece by piece into one buffer.
///
/// Each result begins a line of its own. Methods, results and the names of properties are written unchanged. Values are
/// written in a form that RFC 8601 § 2.2 allows; if there is none, the property is left out.
public struct AuthenticationResultsWriter {
    /// The length after which a line is folded if possible (RFC 5322 § 2.1.1).
    private static let maximumLineLength = 78

    /// The value so far, without the space behind the colon.
    public private(set) var octets: [UInt8] = []
    /// A line end and the white space that begins the next line.
    private let fold: [UInt8]
    private let allowsUTF8: Bool
    /// The position where the line begins, and the number of characters in front of it.
    private var lineStart = 0
    private var indent = "Authentication-Results: ".utf8.count

    /// A field of this service that has no results yet.
    ///
    /// - Parameters:
    ///   - authservID: the name of the service.
    ///   - version: the version of the field's syntax; nil leaves it out.
    ///   - lineEnd: the line end before a continuation line; MTAs expect LF from a milter.
    ///   - allowsUTF8: whether values may have UTF-8, as in internationalized mail; otherwise names become A-labels.
    public init(authservID: Octets, version: Int? = nil, lineEnd: String = "\n", allowsUTF8: Bool = true) {
        fold = Array(lineEnd.utf8) + [.tab]
        self.allowsUTF8 = allowsUTF8
        octets.reserveCapacity(480)
        let asciiName = allowsUTF8 ? authservID : FieldText.ascii(authservID)
        let name = FieldText.printable(asciiName ?? authservID, limit: FieldText.maximumValueLength)[...]
        octets += FieldText.value(name) ?? []
        if let version { octets.append(" \(version)") }
    }

    /// Writes that there are no results.
    public mutating func none() {
        octets.append("; none")
    }

    /// Begins a result.
    public mutating func begin(_ method: String, version: Int? = nil, _ result: String) {
        octets.append(UInt8(ascii: ";"))
        octets += fold
        lineStarts(at: octets.count)
        octets.append(method)
        if let version { octets.append("/\(version)") }
        octets.append(UInt8(ascii: "="))
        octets.append(result)
    }

    /// Adds a comment.
    public mutating func comment(_ text: Octets) {
        guard !text.isEmpty else { return }
        let start = beginWord()
        octets.append(UInt8(ascii: "("))
        octets += FieldText.comment(text)
        octets.append(UInt8(ascii: ")"))
        endWord(start)
    }

    /// Adds the reason of the result.
    public mutating func reason(_ text: Octets) {
        guard !text.isEmpty, let value = FieldText.value(FieldText.replyText(text)[...]) else { return }
        let start = beginWord()
        octets.append("reason=")
        octets += value
        endWord(start)
    }

    /// Adds a property.
    public mutating func property(_ type: String, _ name: String, _ value: Octets) {
        guard !value.isEmpty, let value = allowsUTF8 ? value : FieldText.ascii(value) else { return }
        let start = beginProperty(type, name)
        if FieldText.appendPropertyValue(value, to: &octets) { endWord(start) } else { forgetWord(start) }
    }

    /// Adds a property.
    public mutating func property(_ type: String, _ name: String, _ value: String) {
        guard !value.isEmpty else { return }
        let start = beginProperty(type, name)
        let valueStart = octets.count
        octets.append(value)
        // Most values need no change; the others are examined octet by octet.
        if octets.count - valueStart <= FieldText.maximumValueLength, FieldText.isPropertyToken(octets[valueStart...]) {
            return endWord(start)
        }
        forgetWord(start)
        property(type, name, Octets(value))
    }

    private mutating func beginProperty(_ type: String, _ name: String) -> Int {
        let start = beginWord()
        octets.append(type)
        octets.append(UInt8(ascii: "."))
        octets.append(name)
        octets.append(UInt8(ascii: "="))
        return start
    }

    /// Begins a word after a space, or on a new line when this line is full.
    private mutating func beginWord() -> Int {
        octets.append(.space)
        return octets.count - 1
    }

    private mutating func endWord(_ start: Int) {
        guard indent + octets.count - lineStart > Self.maximumLineLength else { return }
        octets.replaceSubrange(start...start, with: fold)
        lineStarts(at: start + fold.count)
    }

    private mutating func forgetWord(_ start: Int) {
        octets.removeLast(octets.count - start)
    }

    private mutating func lineStarts(at position: Int) {
        lineStart = position
        // A tab is at most as wide as eight characters.
        indent = 8
    }
}
