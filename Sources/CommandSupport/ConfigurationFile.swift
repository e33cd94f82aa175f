public import ArgumentParser
public import PosternConfiguration

/// Loads a configuration for a command.
public enum ConfigurationFile {
    /// EX_CONFIG of sysexits(3).
    public static let invalid = ExitCode(78)

    /// The configuration; if it has problems, prints each to standard error and ends the command with `status`.
    public static func load(_ path: String, orExit status: ExitCode = invalid) throws -> Configuration {
        do {
            return try Configuration.load(path: path)
        } catch {
            for problem in error.problems { Report.print(problem.description) }
            throw status
        }
    }
}
