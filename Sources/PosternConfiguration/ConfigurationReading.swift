/// What a configuration says, and what is wrong with it.
public struct ConfigurationReading: Sendable {
    /// The settings that could be read; nil when the text could not be.
    public let configuration: Configuration?
    /// Everything that is wrong, in the order of the file.
    public let problems: [ConfigurationProblem]

    /// The configuration.
    ///
    /// - Throws: everything that is wrong with it.
    public func get() throws(ConfigurationError) -> Configuration {
        guard let configuration, problems.isEmpty else { throw ConfigurationError(problems: problems) }
        return configuration
    }
}

extension [ConfigurationProblem] {
    /// By place, those in the configuration itself first.
    public func inOrder(of configuration: String) -> [ConfigurationProblem] {
        sorted {
            ($0.file == configuration ? "" : $0.file, $0.line, $0.column)
                < ($1.file == configuration ? "" : $1.file, $1.line, $1.column)
        }
    }
}
