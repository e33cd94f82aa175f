/// Something in a configuration that is wrong, or that may not be meant.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    /// The file: the configuration, or a list that it names.
    public let file: String
    /// The line, from 1; 0 when the file could not be read at all.
    public let line: Int
    /// The column, from 1; 0 when the whole line is meant.
    public let column: Int
    /// The setting's full name, as `dns.cache.max_ttl`; empty when the text is not TOML.
    public let key: String
    /// What is wrong.
    public let message: String
    /// What would be accepted, or for a warning what would be better; empty when the message says it.
    public let accepted: String
    /// What mends it, to be typed by root; empty when that is not known.
    public let command: String
    /// Whether the configuration can be used all the same.
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

    /// `file:line:column: key: message (accepted: …) (type: …)`; a warning says so.
    public var description: String {
        var text = file
        if line > 0 { text += ":\(line)" }
        if column > 0 { text += ":\(column)" }
        if !key.isEmpty { text += ": " + key }
        text += (isWarning ? ": warning: " : ": ") + message
        // "Did you mean …?" has said it.
        if !accepted.isEmpty, !message.hasSuffix("?") {
            text += isWarning ? " (better: \(accepted))" : " (accepted: \(accepted))"
        }
        return text + (command.isEmpty ? "" : " (type: \(command))")
    }
}

/// A configuration cannot be used.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// Everything that is wrong, in the order of the file.
    public let problems: [ConfigurationProblem]

    /// What is wrong, at least one thing.
    public init(problems: [ConfigurationProblem]) {
        self.problems = problems
    }

    /// One problem a line.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
