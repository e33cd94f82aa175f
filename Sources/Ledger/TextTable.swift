internal import MailSyntax

/// Text in columns.
enum TextTable {
    /// The text on one line of at most `width` characters, padded to it; an ellipsis stands for what is cut off.
    static func cell(_ text: String, _ width: Int) -> String {
        let text = printable(text)
        guard text.count <= width else { return text.prefix(max(0, width - 1)) + "…" }
        return text + String(repeating: " ", count: width - text.count)
    }

    /// The text on one line, padded to `width` characters, and cut only where no MTA has so long a name: somebody will
    /// copy it.
    static func whole(_ text: String, _ width: Int, limit: Int = 64) -> String {
        let text = printable(text, limit: limit)
        return text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// The text on one line, without what a terminal must not see.
    static func printable(_ text: String, limit: Int = 512) -> String {
        FieldText.printable(Octets(text), limit: limit)[...].text
    }

    /// The text in lines of 80 columns, broken between words; a longer word has a line of its own.
    ///
    /// - Parameters:
    ///   - text: the text, of which a terminal may see everything.
    ///   - indent: how many spaces each line begins with.
    static func folded(_ text: String, indent: Int = 0) -> [String] {
        let margin = String(repeating: " ", count: indent)
        var lines = [String]()
        for word in text.split(separator: " ") {
            if let line = lines.last, line.count + 1 + word.count <= 80 {
                lines[lines.count - 1] = "\(line) \(word)"
            } else {
                lines.append(margin + word)
            }
        }
        return lines
    }

    /// What has a name in the first column, in lines of 80 columns; the others begin below its first word.
    static func entry(_ name: String, _ text: String, indent: Int) -> [String] {
        var lines = folded(text, indent: indent)
        if let first = lines.first { lines[0] = name + first.dropFirst(name.count) }
        return lines
    }

    /// Cells with a space between them, without spaces at the end.
    static func line(_ cells: [String]) -> String {
        var line = cells.joined(separator: " ")[...]
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }
}
