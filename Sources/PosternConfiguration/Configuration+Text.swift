extension Configuration {
    /// The settings in effect, as a configuration file with the same meaning.
    public var text: String {
        var writer = SettingsWriter(isCommented: false)
        writer.write(described)
        return writer.text
    }

    /// All settings with their texts and defaults, commented out, followed by the shipped rules.
    public static var sample: String {
        var writer = SettingsWriter(isCommented: true)
        writer.text = SampleText.opening
        writer.write(Configuration().described) { $0.path == ["rules"] ? SampleText.rules : nil }
        return writer.text
    }

    /// All settings with the values of this configuration.
    var described: SettingsTable {
        Self.settings.described(self, path: [], isRepeated: false, text: "")
    }
}

extension SettingsTable.Line {
    /// The description, with the accepted values where they are few or have bounds.
    var explanation: String {
        if type.contains(" | ") { return "\(text) One of: \(type)." }
        return range.map { "\(text) From \($0)." } ?? text
    }
}

/// Writes settings as TOML.
struct SettingsWriter {
    /// Whether each setting is explained, and commented out.
    let isCommented: Bool
    /// The text so far.
    var text = ""

    init(isCommented: Bool) {
        self.isCommented = isCommented
    }

    /// Writes a table and the tables below it, except where `replacement` returns another text.
    mutating func write(_ table: SettingsTable, replacement: (SettingsTable) -> String? = { _ in nil }) {
        if let replacement = replacement(table) {
            text += "\n" + replacement
            return
        }
        let lines = table.lines.filter { isCommented || $0.value != nil }
        // A table that is only an example must not come into effect when somebody uncomments a line below it.
        if table.isPresent || isCommented, !lines.isEmpty, !table.path.isEmpty { open(table) }
        if table.isPresent || isCommented { lines.forEach { write($0) } }
        for inner in table.tables { write(inner, replacement: replacement) }
    }

    private mutating func open(_ table: SettingsTable) {
        if !text.isEmpty { text += "\n" }
        if isCommented { comment(table.text) }
        text += (table.isPresent ? "" : "#") + table.header + "\n"
    }

    private mutating func write(_ line: SettingsTable.Line) {
        guard isCommented else {
            if let value = line.value { text += "\(line.name) = \(value)\n" }
            return
        }
        comment(line.explanation)
        text += "#\(line.name) = \(line.value ?? line.example ?? "")"
        text += line.value == nil ? "    # \(line.isRequired ? "required" : "not set by default")\n" : "\n"
    }

    /// Writes comment lines of at most 100 characters.
    private mutating func comment(_ words: String) {
        var line = "#"
        for word in words.split(separator: " ") {
            if line.count + word.count >= 100 {
                text += line + "\n"
                line = "#"
            }
            line += " " + word
        }
        text += line + "\n"
    }
}
