internal import ArgumentParser
internal import PosternConfiguration

/// `postern config`: commands about the configuration.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check, show or explain the configuration.",
        subcommands: [ConfigCheckCommand.self, Show.self, ConfigExplainCommand.self]
    )

    /// `postern config show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Print the settings in effect, or with --defaults all settings with their defaults."
        )

        @Flag(help: "Print the defaults instead of a file's settings.")
        var defaults = false

        @Flag(help: "Print each setting with its explanation and default, commented out.")
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
