/// A mistake in a configuration, or a possible mistake.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    /// The file: the configuration, or one of its lists.
    public let file: String
    /// The line, from 1; 0 when the file cannot be read at all.
    public let line: Int
    /// The column, from 1; 0 when the problem concerns the whole line.
    public let column: Int
    /// The setting's full name, such as `dns.cache.max_ttl`; empty when the text is not TOML.
    public let key: String
    /// The problem.
    public let message: String
    /// The accepted values, or for a warning the better choice; empty when the message says it.
    public let accepted: String
    /// The command with which root can repair it; empty when no such command is known.
    public let command: String
    /// Whether the configuration can be used nevertheless.
    public let isWarning: Bool

    /// A problem at a place.
    public init(
        file: String,
        line: Int,
        column: Int,
        key: String,
        message: String,
        accepted: String = "",
        command: String = "",
        isWarning: Bool = false
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.key = key
        self.message = message
        self.accepted = accepted
        self.command = command
        self.isWarning = isWarning
    }

    /// `file:line:column: key: message (accepted: …) (type: …)`; a warning is marked as such.
    public var description: String {
        var text = file
        if line > 0 { text += ":\(line)" }
        if column > 0 { text += ":\(column)" }
        if !key.isEmpty { text += ": " + key }
        text += (isWarning ? ": warning: " : ": ") + message
        // "Did you mean …?" already says it.
        if !accepted.isEmpty, !message.hasSuffix("?") {
            text += isWarning ? " (better: \(accepted))" : " (accepted: \(accepted))"
        }
        return text + (command.isEmpty ? "" : " (type: \(command))")
    }
}

/// The error when a configuration cannot be used.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// All problems, in the order of the file.
    public let problems: [ConfigurationProblem]

    /// At least one problem.
    public init(problems: [ConfigurationProblem]) {
        self.problems = problems
    }

    /// The problems, one on each line.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
