internal import MailSyntax
internal import Policy
internal import TOML

/// The state while a configuration is read: its file, and the problems so far.
struct ConfigurationReader {
    /// The configuration's path, as given.
    let file: String
    /// The problems so far.
    var problems: [ConfigurationProblem] = []
    /// The hash of the files that were read.
    var hash = ContentHash()
    /// The positions of the settings in the file.
    var positions: [String: TOMLPosition] = [:]
    /// The settings and lists with names and addresses that are kept for documents.
    var documentationValues: [DocumentationValues] = []
    /// The paths of the lists without an entry.
    private(set) var emptyLists: [String] = []
    /// The paths of the lists that cannot be read, which are reported once.
    private var unreadLists: Set<String> = []

    init(file: String) {
        self.file = file
    }

    /// Adds a problem with a setting.
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

    /// Adds a problem with a list of the configuration, once for all settings that use the list.
    mutating func report(list: String, line: Int, _ key: String, _ message: String, accepted: String = "") {
        guard !problems.contains(where: { $0.file == list && $0.line == line && $0.message == message }) else { return }
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

    /// The path that a setting names: relative paths start at the configuration's directory.
    func resolve(_ path: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return String(file[...slash]) + path
    }

    /// The entries of a list: one on each line; `#` starts a comment, and empty lines are ignored.
    ///
    /// - Returns: the entries; nil when the list cannot be read, which has been reported.
    mutating func entries(
        ofList path: String,
        _ position: TOMLPosition,
        _ key: String
    ) -> [(line: Int, text: String)]? {
        let full = resolve(path)
        let text: String
        switch TextFile.read(full) {
        case .success(let read):
            text = read
            hash.add(read)
        case .failure(.notUTF8(let place)):
            report(list: full, line: place.position.line, key, place.message, accepted: place.accepted)
            return nil
        case .failure(let failure):
            if unreadLists.insert(full).inserted {
                report(
                    position,
                    key,
                    "the list \"\(full)\" \(failure.description)",
                    accepted: "a file with one entry a line"
                )
            }
            return nil
        }
        let entries = Self.entries(text)
        if entries.isEmpty, !emptyLists.contains(full) { emptyLists.append(full) }
        // The warning is about the list, whatever uses it.
        if !documentationValues.contains(where: { $0.file == full }) {
            for entry in entries { noteDocumentationName(entry.text, file: full, line: entry.line, key) }
        }
        return entries
    }

    private static func entries(_ text: String) -> [(line: Int, text: String)] {
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
