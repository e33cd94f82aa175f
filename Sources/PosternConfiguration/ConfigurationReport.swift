internal import TOML

/// The settings in effect as a JSON object, with the names that they have in the file.
public struct ConfigurationReport: Encodable {
    /// A value of a setting.
    private struct Value: Encodable {
        let value: TOMLValue

        func encode(to encoder: any Encoder) throws {
            switch value.content {
            case .string(let text), .date(let text): try text.encode(to: encoder)
            case .integer(let number): try number.encode(to: encoder)
            case .float(let number): try number.encode(to: encoder)
            case .boolean(let flag): try flag.encode(to: encoder)
            case .array(let elements): try elements.map(Value.init).encode(to: encoder)
            case .table(let entries):
                try Dictionary(entries.map { ($0.key, Value(value: $0.value)) }) { first, _ in first }.encode(
                    to: encoder
                )
            }
        }
    }

    private let value: Value

    /// The settings of a configuration.
    public init(_ configuration: Configuration) throws {
        // What is written reads back to the same, so no setting can be missing here.
        value = Value(value: try TOMLDocument.parse(configuration.text))
    }

    /// Writes the settings.
    public func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}
