internal import MailSyntax
internal import Policy

/// One log line about a message: the results of the checks, and fields in the order of ``LogField``.
struct LogLine {
    /// The name of a value.
    private enum Name {
        case result(Check)
        case field(LogField)

        var text: String {
            switch self {
            case .result(let check): check.rawValue
            case .field(let field): field.rawValue
            }
        }
    }

    /// A value of the line.
    private enum Value {
        /// Text from any source, with any octets: its range in `texts`.
        case text(Range<Int>)
        /// A number.
        case number(Int)
    }

    /// The most octets of a value that are written.
    static let maximumValueLength = 512

    private var fields: [(name: Name, value: Value)] = []
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
        add(.field(name), write)
    }

    /// Adds a number; nothing is added for nil.
    mutating func add(_ name: LogField, _ number: Int?) {
        if let number { fields.append((.field(name), .number(number))) }
    }

    /// Adds the result of a check; nothing is added for nil.
    mutating func add(_ check: Check, _ word: ResultWord?) {
        if let word { add(.result(check)) { $0.append(word.rawValue) } }
    }

    private mutating func add(_ name: Name, _ write: (inout [UInt8]) -> Void) {
        let start = texts.count
        write(&texts)
        fields.append((name, .text(start..<texts.count)))
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
            line.append(name.text)
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
            case .number(let number): object[name.text] = .number(number)
            case .text(let range): object[name.text] = .text(texts[range].prefix(Self.maximumValueLength).text)
            }
        }
        return object.octets
    }
}
