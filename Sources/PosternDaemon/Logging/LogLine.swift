internal import FoundationEssentials
internal import MailSyntax

/// One line of the log: named values in a fixed order.
struct LogLine {
    /// A value of the line.
    private enum Value {
        /// Text that came from anywhere, in any octets: where it stands among the texts.
        case text(Range<Int>)
        /// A number.
        case number(Int)
    }

    /// How many octets of a value are written.
    static let maximumValueLength = 512

    private var fields: [(name: String, value: Value)] = []
    /// All texts, one behind the other, the subject first.
    private var texts: [UInt8] = []
    private let subjectEnd: Int

    /// A line about a message; `subject` is its queue ID.
    init(subject: [UInt8]) {
        fields.reserveCapacity(20)
        texts.reserveCapacity(256)
        texts += subject
        subjectEnd = subject.count
    }

    /// Adds a text; nothing is added for nil.
    mutating func add(_ name: String, _ text: String?) {
        guard let text else { return }
        add(name) { $0.append(text) }
    }

    /// Adds octets; nothing is added for nil.
    mutating func add(_ name: String, octets: [UInt8]?) {
        guard let octets else { return }
        add(name) { $0 += octets }
    }

    /// Adds a text that `write` appends.
    mutating func add(_ name: String, _ write: (inout [UInt8]) -> Void) {
        let start = texts.count
        write(&texts)
        fields.append((name, .text(start..<texts.count)))
    }

    /// Adds a number; nothing is added for nil.
    mutating func add(_ name: String, _ number: Int?) {
        if let number { fields.append((name, .number(number))) }
    }
}

// MARK: Text

extension LogLine {
    /// The line as text: the subject, a colon, and `name=value` pairs.
    var text: [UInt8] {
        var line = [UInt8]()
        line.reserveCapacity(texts.count + 16 * fields.count)
        FieldText.appendLogValue(texts[..<subjectEnd], to: &line)
        line.append(UInt8(ascii: ":"))
        for (name, value) in fields {
            line.append(.space)
            line.append(name)
            line.append(UInt8(ascii: "="))
            switch value {
            case .number(let number): line.append(String(number))
            case .text(let range): FieldText.appendLogValue(texts[range], to: &line, limit: Self.maximumValueLength)
            }
        }
        return line
    }
}

// MARK: JSON

extension LogLine: Encodable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Writes the fields, the subject as `id`; octets that are not UTF-8 become U+FFFD, for JSON is Unicode.
    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Name.self)
        try object.encode(texts[..<subjectEnd].text, forKey: Name(stringValue: "id"))
        for (name, value) in fields {
            let key = Name(stringValue: name)
            switch value {
            case .number(let number): try object.encode(number, forKey: key)
            case .text(let range): try object.encode(texts[range].prefix(Self.maximumValueLength).text, forKey: key)
            }
        }
    }

    /// The same fields as one JSON object.
    var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { Array($0) } ?? text
    }
}
