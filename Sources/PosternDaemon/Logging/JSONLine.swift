internal import FoundationEssentials
internal import MailSyntax
internal import PosternSetup

/// A log line as a flat JSON object, with its names in alphabetical order.
struct JSONLine {
    /// A value of the object.
    enum Value: Encodable {
        case text(String)
        case number(Int)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            }
        }
    }

    private var values: [String: Value]

    /// An object that contains only the time.
    init(at time: UnixTime) {
        values = ["time": .text(UTCTime(time).description)]
    }

    subscript(name: String) -> Value? {
        get { values[name] }
        set { values[name] = newValue }
    }

    /// The object as text.
    var octets: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(values)).map { Array($0) } ?? []
    }
}
