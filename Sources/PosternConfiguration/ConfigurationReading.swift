/// The settings of a configuration, and its problems.
public struct ConfigurationReading: Sendable {
    /// The settings that could be read; nil when the file cannot be read at all.
    public let configuration: Configuration?
    /// All problems, in the order of the file.
    public let problems: [ConfigurationProblem]

    /// The configuration, if it has no problem.
    ///
    /// - Throws: all problems.
    public func get() throws(ConfigurationError) -> Configuration {
        guard let configuration, problems.isEmpty else { throw ConfigurationError(problems: problems) }
        return configuration
    }
}

extension [ConfigurationProblem] {
    /// The problems by position; problems in the configuration itself come first.
    public func inOrder(of configuration: String) -> [ConfigurationProblem] {
        sorted {
            ($0.file == configuration ? "" : $0.file, $0.line, $0.column)
                < ($1.file == configuration ? "" : $1.file, $1.line, $1.column)
        }
    }
}
