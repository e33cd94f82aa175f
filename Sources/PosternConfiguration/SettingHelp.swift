internal import Policy

/// What a setting, a table of settings, or a condition of rules means, for `postern config help`.
public enum SettingHelp {
    /// What the settings, tables and conditions of this name mean, and where it is a value; nil when it is neither.
    ///
    /// - Parameter name: a path such as `dns.cache.max_ttl` or `[dns.cache]`, its last word alone, or a value.
    public static func text(_ name: String) -> String? {
        let word = WordHelp.text(name, all.map { ($0.path, $0.type) })
        let name = plain(name)
        let found = all.filter { $0.path == name }
        let chosen = found.isEmpty ? all.filter { $0.path.split(separator: ".").last ?? "" == name } : found
        let texts = chosen.map(\.text) + [word].compactMap { $0 }
        return texts.isEmpty ? nil : texts.joined(separator: "\n")
    }

    /// The name that was meant.
    public static func closest(to name: String) -> String? {
        let name = plain(name)
        let words = all.compactMap { $0.path.split(separator: ".").last.map(String.init) }
        return Suggestion.closest(to: name, of: all.map(\.path)) ?? Suggestion.closest(to: name, of: words)
    }

    /// `[[signing]]` and `signing[1].keys` without what is no name.
    private static func plain(_ name: String) -> String {
        let name = name.split(separator: "[").joined().split(separator: "]").joined()
        return String(name.filter { !$0.isNumber })
    }

    private struct Entry {
        let path: String
        /// The type of its value; empty for a table or a condition.
        var type = ""
        let text: String
    }

    private static let all: [Entry] = {
        var entries = [Entry]()
        func visit(_ table: SettingsTable) {
            let path = table.path.joined(separator: ".")
            if !path.isEmpty { entries.append(Entry(path: path, text: help(table))) }
            for line in table.lines {
                let name = path.isEmpty ? line.name : path + "." + line.name
                entries.append(Entry(path: name, type: line.type, text: help(line, table)))
            }
            table.tables.forEach(visit)
        }
        visit(Configuration().described)
        for name in ConditionName.allCases {
            let text = "\(name.rawValue): a condition of [[rules]], in when and unless\n" + paragraph(name.text)
            entries.append(
                Entry(path: "rules.when.\(name.rawValue)", text: text + paragraph("Values: " + name.accepted))
            )
        }
        return entries
    }()

    private static func help(_ table: SettingsTable) -> String {
        let names = (table.lines.map(\.name) + table.tables.map(\.header)).joined(separator: ", ")
        return "\(table.header)\n" + (table.text.isEmpty ? "" : paragraph(table.text)) + paragraph("Settings: " + names)
    }

    private static func help(_ line: SettingsTable.Line, _ table: SettingsTable) -> String {
        let place = table.header.isEmpty ? "" : " in \(table.header)"
        let value =
            line.value.map { "Default: \($0)" }
            ?? (line.isRequired ? "Required" : "Not set by default")
            + (line.example.map { "; for example: \(line.name) = \($0)" } ?? "")
        let type = line.type.contains(" | ") ? "" : ": \(line.type)"
        return "\(line.name)\(place)\(type)\n" + paragraph(line.explanation) + paragraph(value)
    }

    /// Words in indented lines of at most 100 characters.
    private static func paragraph(_ text: String) -> String {
        var lines = [String]()
        var line = "   "
        for word in text.split(separator: " ") {
            if line.count + word.count >= 100 {
                lines.append(line)
                line = "   "
            }
            line += " " + word
        }
        return (lines + [line]).joined(separator: "\n") + "\n"
    }
}
