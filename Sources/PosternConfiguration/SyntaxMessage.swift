internal import MailSyntax
internal import TOML

/// The TOML parser's message, rephrased for administrators.
struct SyntaxMessage {
    /// The problem.
    let message: String
    /// The accepted alternative; empty when it is not known.
    let accepted: String

    /// Hints for the parser's messages, found by a part of the message.
    private static let hints: [(part: String, accepted: String)] = [
        ("could not determine value type", "text in quotes, a number, true or false, a list in [ ], a table in { }"),
        ("floating-point", "text in quotes, a number, true or false"),
        ("boolean: ", "text in quotes, a number, true or false"),
        ("leading zero", "text in quotes, as mode = \"0660\", or a number without the zero"),
        ("dangling comma", "no comma after the last part"),
        ("inline table", "a table in { } on one line; a longer one with a line for each part, as when.spf = \"fail\""),
        ("as table", "the setting once, as a value or as a table"),
        ("existing table", "each [table] once, with all its settings below it"),
        ("cannot redefine", "each setting once"),
        ("string: encountered end-of-", "a closing quote on the same line"),
    ]

    /// The message for an error in a text.
    init(_ error: TOMLDocument.SyntaxError, in text: String) {
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(error.position.line - 1)
            .first
        let isAtEnd = error.position.column > line?.count ?? 0
        var words = error.message[...]
        let prefix = "Error while parsing "
        let isPlaced = words.hasPrefix(prefix)
        if isPlaced { words = words.dropFirst(prefix.count) }
        if let end = words.firstRange(of: " (TOML_")?.lowerBound { words = words[..<end] }
        if isAtEnd, words.hasPrefix("string: unescaped control characters") {
            words = "string: encountered end-of-line"
        }
        let readable = words.replacing("saw '\\n'", with: "saw the end of the line")
        let article = words.first.map { "aeiou".contains($0) } == true ? "in an " : "in a "
        message = "this is not TOML: " + (isPlaced ? article : "") + readable
        if words.contains("expected '='") {
            accepted = line.flatMap(Self.statement) ?? "name = value, or for a table [name] on a line of its own"
        } else {
            accepted = Self.hints.first { words.contains($0.part) }?.accepted ?? ""
        }
    }

    /// A `name: value` line of other configurations, rewritten as TOML; nil for any other line.
    private static func statement(_ line: Substring) -> String? {
        let parts = line.split(separator: ":", maxSplits: 1).map { $0.drop { $0 == " " } }
        guard parts.count == 2, let name = parts.first, let value = parts.last?.prefix(while: { $0 != "#" }),
            name.utf8.allSatisfy({ $0.isAlpha || $0.isDigit || $0 == UInt8(ascii: "_") })
        else { return nil }
        var text = String(value)
        while text.last == " " || text.last == "\r" { text.removeLast() }
        guard !text.isEmpty, !text.contains("\"") else { return nil }
        let isPlain = text == "true" || text == "false" || Int(text) != nil
        return "\(name) = \(isPlain ? text : TOMLText.quoted(text))"
    }
}
