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
            for problem in error.problems { Report.print(description(of: problem, of: path)) }
            throw status
        }
    }

    /// The problem; for a file other than the installed one without the command that makes a first configuration,
    /// because its name is rather mistyped.
    private static func description(of problem: ConfigurationProblem, of path: String) -> String {
        guard problem.line == 0, problem.file == path, path != Configuration.standardPath else {
            return problem.description
        }
        return "\(path): \(problem.message)"
    }
}
