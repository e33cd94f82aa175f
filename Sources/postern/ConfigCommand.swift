internal import ArgumentParser
internal import PosternConfiguration

/// `postern config`: looks at the configuration.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check, show or explain the configuration.",
        subcommands: [Check.self, Show.self]
    )

    /// `postern config check`.
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Look for mistakes in the configuration, and for what may not be meant."
        )

        @Argument(help: "The configuration.")
        var file = Configuration.standardPath

        func run() async throws {
            let loaded = try ConfigurationFile.load(file, orExit: .failure)
            for warning in loaded.warnings { ConfigurationFile.complain(warning.description) }
            print("\(file): \(loaded.summary)")
        }
    }

    /// `postern config show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Print the settings in effect, or with --defaults all settings with their defaults."
        )

        @Flag(help: "Print the defaults instead of a file's settings.")
        var defaults = false

        @Flag(help: "Print each setting with its explanation, commented out: the file that is shipped.")
        var commented = false

        @Argument(help: "The configuration.")
        var file = Configuration.standardPath

        func run() async throws {
            if commented {
                print(Configuration.sample, terminator: "")
            } else {
                print(defaults ? Configuration().text : try ConfigurationFile.load(file).text, terminator: "")
            }
        }
    }
}
