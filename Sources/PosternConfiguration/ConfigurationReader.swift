internal import MailSyntax
internal import Policy
internal import TOML

/// What is known while a configuration is read: its file, and what was wrong so far.
struct ConfigurationReader {
    /// The configuration's path, as it was given.
    let file: String
    /// Everything wrong so far.
    var problems: [ConfigurationProblem] = []
    /// Where each setting stands that was given.
    var positions: [String: TOMLPosition] = [:]

    init(file: String) {
        self.file = file
    }

    /// Notes a problem with a setting.
    mutating func report(
        _ position: TOMLPosition,
        _ key: String,
        _ message: String,
        accepted: String = "",
        command: String = ""
    ) {
        problems.append(
            ConfigurationProblem(
                file: file,
                line: position.line,
                column: position.column,
                key: key,
                message: message,
                accepted: accepted,
                command: command
            )
        )
    }

    /// Notes a problem in a list that the configuration names.
    mutating func report(list: String, line: Int, _ key: String, _ message: String, accepted: String = "") {
        problems.append(
            ConfigurationProblem(
                file: list,
                line: line,
                column: 0,
                key: key,
                message: message,
                accepted: accepted
            )
        )
    }

    func location(_ position: TOMLPosition) -> PolicyLocation {
        PolicyLocation(file: file, line: position.line)
    }

    /// A path as the configuration means it: relative ones start at the configuration's own folder.
    func resolve(_ path: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return String(file[...slash]) + path
    }

    /// The entries of a list: one a line, `#` starts a comment, empty lines do not count.
    mutating func entries(ofList path: String, _ position: TOMLPosition, _ key: String) -> [(line: Int, text: String)] {
        let full = resolve(path)
        let text: String
        switch TextFile.read(full) {
        case .success(let read): text = read
        case .failure(.notUTF8(let place)):
            report(list: full, line: place.position.line, key, place.message, accepted: place.accepted)
            return []
        case .failure(let failure):
            report(
                position,
                key,
                "the list \"\(full)\" \(failure.description)",
                accepted: "a file with one entry a line"
            )
            return []
        }
        var entries = [(line: Int, text: String)]()
        var line = 0
        for content in Octets(text).split(separator: .lf, omittingEmptySubsequences: false) {
            line += 1
            let entry = content.prefix { $0 != UInt8(ascii: "#") }.trimmed.text
            if !entry.isEmpty { entries.append((line, entry)) }
        }
        return entries
    }
}
