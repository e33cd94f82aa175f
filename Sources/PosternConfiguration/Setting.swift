internal import TOML

/// How the values of a setting are written and read.
struct ValueType<Value: Sendable>: Sendable {
    /// The name of the type in a word or two, for the manual: `duration`.
    let name: String
    /// The accepted values in words, for messages.
    let accepted: String
    /// The accepted numbers, times or sizes, as `1 to 20`; nil where there are no bounds.
    var range: String?
    /// Reads a value; nil after a problem was reported.
    let read: @Sendable (TOMLValue, _ key: String, inout ConfigurationReader) -> Value?
    /// Writes a value as TOML; nil when it is not set.
    let write: @Sendable (Value) -> String?
}

/// A setting of a table, declared once: the parser, the messages, the sample and the manual use this declaration.
struct Setting<Section: Sendable>: Sendable {
    /// The key.
    let name: String
    /// The name of its type, for the manual; empty for a table.
    let type: String
    /// The accepted numbers, times or sizes, for the manual; nil where there are no bounds.
    var range: String?
    /// The description, for the sample and the manual.
    let text: String
    /// Whether a table without the setting is an error.
    let isRequired: Bool
    /// The settings of the table below this key, with their defaults; empty when the setting has a plain value.
    let tables: @Sendable (Section, _ path: [String]) -> [SettingsTable]
    /// Reads the value and stores it in the section.
    let read: @Sendable (TOMLValue, _ key: String, inout Section, inout ConfigurationReader) -> Void
    /// Writes the value as TOML; nil when it is not set.
    let write: @Sendable (Section) -> String?
    /// The example in the sample when there is no default.
    let example: String?
}

/// The settings of a table in words, with their present values.
struct SettingsTable: Sendable {
    /// One setting.
    struct Line: Sendable {
        let name: String
        let type: String
        let range: String?
        let text: String
        let isRequired: Bool
        let value: String?
        let example: String?
    }

    /// The table's path: `["dns", "cache"]`.
    let path: [String]
    /// Whether the table is an element of `[[name]]`.
    let isRepeated: Bool
    /// Whether the configuration contains the table: a `[[name]]` table may be only an example.
    var isPresent: Bool
    /// The purpose of the table.
    let text: String
    /// The settings of the table.
    let lines: [Line]
    /// The tables below the table.
    let tables: [SettingsTable]

    /// The first line of the table: `[dns.cache]`, `[[rules]]`; empty for the top of the file.
    var header: String {
        let name = path.joined(separator: ".")
        return path.isEmpty ? "" : isRepeated ? "[[\(name)]]" : "[\(name)]"
    }
}

extension Setting {
    /// A setting with a plain value.
    init<Value: Sendable>(
        _ name: String,
        _ path: any WritableKeyPath<Section, Value> & Sendable,
        _ type: ValueType<Value>,
        required: Bool = false,
        example: String? = nil,
        _ text: String
    ) {
        self.init(
            name: name,
            type: type.name,
            range: type.range,
            text: text,
            isRequired: required,
            tables: { _, _ in [] },
            read: { value, key, section, reader in
                if let read = type.read(value, key, &reader) { section[keyPath: path] = read }
            },
            write: { type.write($0[keyPath: path]) },
            example: example
        )
    }

    /// A table.
    static func table<Inner: Sendable>(
        _ name: String,
        _ path: any WritableKeyPath<Section, Inner> & Sendable,
        _ settings: [Setting<Inner>],
        _ text: String
    ) -> Setting {
        Setting(
            name: name,
            type: "",
            text: text,
            isRequired: false,
            tables: { section, above in
                [settings.described(section[keyPath: path], path: above + [name], isRepeated: false, text: text)]
            },
            read: { value, key, section, reader in
                settings.read(value, key, into: &section[keyPath: path], &reader)
            },
            write: { _ in nil },
            example: nil
        )
    }

    /// The tables of `[[name]]`.
    static func tables<Inner: Sendable>(
        _ name: String,
        _ path: any WritableKeyPath<Section, [Inner]> & Sendable,
        each empty: @escaping @Sendable (TOMLPosition) -> Inner,
        _ settings: [Setting<Inner>],
        _ text: String
    ) -> Setting {
        Setting(
            name: name,
            type: "",
            text: text,
            isRequired: false,
            tables: { section, above in
                let values = section[keyPath: path]
                guard values.isEmpty else {
                    return values.map { settings.described($0, path: above + [name], isRepeated: true, text: text) }
                }
                let none = empty(TOMLPosition(line: 0, column: 0))
                var example = settings.described(none, path: above + [name], isRepeated: true, text: text)
                example.isPresent = false
                return [example]
            },
            read: { value, key, section, reader in
                guard case .array(let elements) = value.content else {
                    reader.report(
                        value.position,
                        key,
                        "\(value.kind) cannot be used",
                        accepted: "tables that begin with [[\(key)]]"
                    )
                    return
                }
                section[keyPath: path] = elements.enumerated().map { index, element in
                    var inner = empty(element.position)
                    reader.positions["\(key)[\(index + 1)]"] = element.position
                    settings.read(element, "\(key)[\(index + 1)]", into: &inner, &reader)
                    return inner
                }
            },
            write: { _ in nil },
            example: nil
        )
    }
}

extension Setting {
    /// The setting with an example value.
    fileprivate var howToWrite: String { "\(name) = \(type.contains(" | ") ? type : example ?? type)" }
}

extension Array {
    /// Reads a table into a section: each key by its setting.
    func read<Section>(
        _ value: TOMLValue,
        _ path: String,
        into section: inout Section,
        _ reader: inout ConfigurationReader
    )
    where Element == Setting<Section> {
        guard case .table(let entries) = value.content else {
            reader.report(
                value.position,
                path,
                "\(value.kind) cannot be used",
                accepted: path.hasSuffix("]")
                    ? "{ \(map(\.howToWrite).joined(separator: ", ")) }" : "a table: [\(path)]"
            )
            return
        }
        for entry in entries {
            let key = path.isEmpty ? entry.key : path + "." + entry.key
            if let setting = first(where: { $0.name == entry.key }) {
                reader.positions[key] = entry.position
                setting.read(entry.value, key, &section, &reader)
            } else {
                let (message, accepted) = Suggestion.unknown(entry.key, of: map(\.name), in: path)
                reader.report(entry.position, key, message, accepted: accepted)
            }
        }
        for setting in self where setting.isRequired && !entries.contains(where: { $0.key == setting.name }) {
            reader.report(
                value.position,
                path,
                "\(setting.name) is missing",
                accepted: setting.howToWrite
            )
        }
    }

    /// The settings in words, with the values of a section.
    func described<Section>(_ section: Section, path: [String], isRepeated: Bool, text: String) -> SettingsTable
    where Element == Setting<Section> {
        SettingsTable(
            path: path,
            isRepeated: isRepeated,
            isPresent: true,
            text: text,
            lines: filter { !$0.type.isEmpty }.map {
                SettingsTable.Line(
                    name: $0.name,
                    type: $0.type,
                    range: $0.range,
                    text: $0.text,
                    isRequired: $0.isRequired,
                    value: $0.write(section),
                    example: $0.example
                )
            },
            tables: flatMap { $0.tables(section, path) }
        )
    }
}
