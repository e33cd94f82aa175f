internal import ArgumentParser

/// The `postern` command.
@main
struct Postern: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern",
        abstract: "A mail filter that checks SPF, Sender ID, DKIM and DMARC, and signs outgoing mail.",
        version: "0.1.0",
        subcommands: [
            ServeCommand.self,
            CheckCommand.self,
            SignCommand.self,
            KeygenCommand.self,
            LookupCommand.self,
            ConfigCommand.self,
            StatusCommand.self,
            ReloadCommand.self,
            WhyCommand.self,
        ]
    )
}
