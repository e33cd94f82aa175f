internal import Policy

/// What a setting, a table of settings, or a condition of rules means, for `postern config help`.
public enum SettingHelp {
    /// What the settings, tables and conditions of this name mean; nil when there is none.
    ///
    /// - Parameter name: a path such as `dns.cache.max_ttl` or `[dns.cache]`, or its last word alone.
    public static func text(_ name: String) -> String? {
        let name = plain(name)
        let found = all.filter { $0.path == name }
        let chosen = found.isEmpty ? all.filter { $0.path.split(separator: ".").last ?? "" == name } : found
        return chosen.isEmpty ? nil : chosen.map(\.text).joined(separator: "\n")
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
        let text: String
    }

    private static let all: [Entry] = {
        var entries = [Entry]()
        func visit(_ table: SettingsTable) {
            let path = table.path.joined(separator: ".")
            if !path.isEmpty { entries.append(Entry(path: path, text: help(table))) }
            for line in table.lines {
                entries.append(Entry(path: path.isEmpty ? line.name : path + "." + line.name, text: help(line, table)))
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
