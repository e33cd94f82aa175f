internal import ArgumentParser
internal import CommandSupport
internal import PosternConfiguration
internal import PosternSetup

/// `postern config`: commands about the configuration.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check, show or explain the configuration.",
        subcommands: [ConfigCheckCommand.self, Show.self, ConfigExplainCommand.self, Help.self]
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

        @Flag(help: "Print the settings as a JSON object.")
        var json = false

        @Argument(help: "The configuration.")
        var file = Configuration.standardPath

        func validate() throws {
            if json, commented { throw ValidationError("--json: JSON has no comments; leave --commented off") }
        }

        func run() async throws {
            if json {
                let report = try ConfigurationReport(defaults ? Configuration() : ConfigurationFile.load(file))
                return try OutputFile.writeToStandardOutput(JSONReport.line(report))
            }
            if commented {
                print(Configuration.sample, terminator: "")
            } else {
                print(defaults ? Configuration().text : try ConfigurationFile.load(file).text, terminator: "")
            }
        }
    }

    /// `postern config help`.
    struct Help: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "help",
            abstract: "Say what a setting, a table of settings, a condition of rules or a value means."
        )

        @Argument(help: "Its name, such as dns.cache.max_ttl, max_ttl, signing, spf or softfail.")
        var setting: String

        func run() throws {
            guard let text = SettingHelp.text(setting) else {
                let closest = SettingHelp.closest(to: setting).map { "; did you mean \($0)?" } ?? ""
                Report.write("there is no setting '\(setting)'\(closest) (type: postern config show --commented)")
                throw ExitCode.failure
            }
            try OutputFile.writeToStandardOutput(Array(text.utf8))
        }
    }
}
