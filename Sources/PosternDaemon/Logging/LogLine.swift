internal import MailSyntax

/// One log line about a message: its fields in the order of ``LogField``.
struct LogLine {
    /// A value of the line.
    private enum Value {
        /// Text from any source, with any octets: its range in `texts`.
        case text(Range<Int>)
        /// A number.
        case number(Int)
    }

    /// The most octets of a value that are written.
    static let maximumValueLength = 512

    private var fields: [(name: LogField, value: Value)] = []
    /// All texts, joined, the subject first.
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
    mutating func add(_ name: LogField, _ text: String?) {
        guard let text else { return }
        add(name) { $0.append(text) }
    }

    /// Adds octets; nothing is added for nil.
    mutating func add(_ name: LogField, octets: [UInt8]?) {
        guard let octets else { return }
        add(name) { $0 += octets }
    }

    /// Adds a text that `write` appends.
    mutating func add(_ name: LogField, _ write: (inout [UInt8]) -> Void) {
        let start = texts.count
        write(&texts)
        fields.append((name, .text(start..<texts.count)))
    }

    /// Adds a number; nothing is added for nil.
    mutating func add(_ name: LogField, _ number: Int?) {
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
            line.append(name.rawValue)
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

extension LogLine {
    /// The same fields as one JSON object with the time; the subject is the value of `id`.
    ///
    /// Octets that are not UTF-8 become U+FFFD, because JSON is Unicode.
    func json(at time: UnixTime) -> [UInt8] {
        var object = JSONLine(at: time)
        object["id"] = .text(texts[..<subjectEnd].text)
        for (name, value) in fields {
            switch value {
            case .number(let number): object[name.rawValue] = .number(number)
            case .text(let range): object[name.rawValue] = .text(texts[range].prefix(Self.maximumValueLength).text)
            }
        }
        return object.octets
    }
}
