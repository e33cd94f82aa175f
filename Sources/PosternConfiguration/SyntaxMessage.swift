/// Turns the TOML parser's messages into ones for administrators.
enum SyntaxMessage {
    /// What the parser's words mean, by a part of them.
    private static let hints: [(part: String, accepted: String)] = [
        ("could not determine value type", "text in quotes, a number, true or false, a list in [ ], a table in { }"),
        ("floating-point", "text in quotes, a number, true or false"),
        ("boolean: ", "text in quotes, a number, true or false"),
        ("as table", "the setting once, as a value or as a table"),
        ("existing table", "each [table] once, with all its settings below it"),
        ("cannot redefine", "each setting once"),
        ("expected '='", "name = value"),
        ("string: encountered end-of-", "a closing quote on the same line"),
    ]

    /// A message in the style of the others, and what would be accepted.
    static func readable(_ message: String) -> (message: String, accepted: String) {
        var text = message[...]
        let prefix = "Error while parsing "
        let isPlaced = text.hasPrefix(prefix)
        if isPlaced { text = text.dropFirst(prefix.count) }
        if let end = text.firstRange(of: " (TOML_")?.lowerBound { text = text[..<end] }
        let accepted = hints.first { message.contains($0.part) }?.accepted ?? ""
        let article = text.first.map { "aeiou".contains($0) } == true ? "in an " : "in a "
        return ("this is not TOML: " + (isPlaced ? article : "") + text, accepted)
    }
}
