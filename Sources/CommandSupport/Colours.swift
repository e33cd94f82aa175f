internal import Glibc

/// Colours for results, where a person reads them.
public enum Colours {
    /// Green, red and yellow (ECMA-48 § 8.3.117).
    private static let codes = [
        "pass": 32, "accept": 32, "fail": 31, "reject": 31, "discard": 31, "softfail": 33, "permerror": 33,
        "temperror": 33,
        "tempfail": 33, "junk": 33, "quarantine": 33,
    ]

    /// The words that begin a line with a result.
    private static let subjects = ["verdict", "spf", "sender-id", "dkim", "dmarc", "arc", "iprev"]

    /// Whether standard output shows colours: a terminal that knows them, and nobody who wants none (https://no-color.org).
    public static var areShown: Bool {
        func variable(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }
        return isatty(STDOUT_FILENO) == 1 && variable("NO_COLOR")?.isEmpty != false
            && variable("TERM") ?? "dumb" != "dumb"
    }

    /// Writes what `check` and `why` say, with the results in colour where they are shown.
    public static func write(_ text: String) throws {
        try OutputFile.writeToStandardOutput(Array((areShown ? coloured(text) : text).utf8))
    }

    /// The text with the result of each line that begins with a check in colour.
    public static func coloured(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(line).joined(separator: "\n")
    }

    private static func line(_ line: Substring) -> String {
        guard subjects.contains(where: { line.hasPrefix($0 + " ") }) else { return String(line) }
        let words = line.split(separator: " ", omittingEmptySubsequences: true)
        let place = words.count > 1 && words[1] == "(helo)" ? 2 : 1
        guard words.count > place else { return String(line) }
        let word = words[place].prefix { $0 != "," }
        guard let code = codes[String(word)] else { return String(line) }
        return "\(line[..<word.startIndex])\u{1B}[\(code)m\(word)\u{1B}[0m\(line[word.endIndex...])"
    }
}
