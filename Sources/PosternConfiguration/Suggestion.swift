internal import Policy

/// Finds the intended word for a misspelt word.
package enum Suggestion {
    /// The word closest to `word`, if it is close enough.
    package static func closest(to word: String, of words: [String]) -> String? {
        let plain = normalized(word)
        let limit = max(1, min(3, plain.utf8.count / 3))
        return
            words
            .map { (word: $0, distance: distance(plain, normalized($0))) }
            .filter { $0.distance <= limit }
            .min { $0.distance < $1.distance }?
            .word
    }

    /// The message about an unknown key, and the accepted alternative: the closest key, a table that has the key, or
    /// all keys.
    static func unknown(_ key: String, of names: [String], in path: String) -> (message: String, accepted: String) {
        if let (name, written) = renamed[normalized(key)], names.contains(name) {
            return ("there is no such setting any more; it is \(name) now", written)
        }
        if let closest = closest(to: key, of: names) {
            return ("there is no such setting; did you mean \(closest)?", closest)
        }
        return ("there is no such setting", accepted(for: key, of: names, in: path))
    }

    /// The new names of renamed settings, and their notation.
    private static let renamed: [String: (name: String, written: String)] = [
        "public_suffix_fallback": (
            "organizational_domain",
            "organizational_domain = \"walk\" for false, or \"walk+list\" for nearly what true meant"
        )
    ]

    private static func accepted(for key: String, of names: [String], in path: String) -> String {
        if path.hasPrefix("rules["), ConditionName(rawValue: key) != nil {
            return "\(key) inside the table of conditions: when = { \(key) = ... }"
        }
        let here = path.filter { $0 != "[" && $0 != "]" && !$0.isNumber }
        let elsewhere = SettingIndex.tables(withSetting: normalized(key)).filter { $0.path != here }
        if let place = elsewhere.first?.header {
            return place.isEmpty ? "\(key) at the top of the file, before any [table]" : "\(key) in \(place)"
        }
        return names.joined(separator: ", ")
    }

    private static func normalized(_ word: String) -> String {
        String(word.lowercased().map { $0 == "-" || $0 == " " ? "_" : $0 })
    }

    /// The Damerau-Levenshtein distance (adjacent letters may change places) of words, cut to 40 octets.
    private static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.utf8.prefix(40))
        let right = Array(right.utf8.prefix(40))
        var beforeLast = [Int]()
        var last = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var next = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(last[column] + (letter == other ? 0 : 1), last[column + 1] + 1, next[column] + 1)
                if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                next.append(cost)
            }
            beforeLast = last
            last = next
        }
        return last[right.count]
    }
}

/// Finds the tables of a setting.
enum SettingIndex {
    private static let tables: [(path: String, header: String, names: [String])] = {
        var found = [(path: String, header: String, names: [String])]()
        func visit(_ table: SettingsTable) {
            found.append((table.path.joined(separator: "."), table.header, table.lines.map(\.name)))
            table.tables.forEach(visit)
        }
        visit(Configuration.settings.described(Configuration(), path: [], isRepeated: false, text: ""))
        return found
    }()

    /// The tables with a setting of this name: their paths and their first lines.
    static func tables(withSetting name: String) -> [(path: String, header: String)] {
        tables.filter { $0.names.contains(name) }.map { ($0.path, $0.header) }
    }
}
