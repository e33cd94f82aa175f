internal import ArgumentParser
internal import CommandSupport

/// The `postern` command.
@main
struct Postern: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern",
        abstract: "A mail filter that checks SPF, Sender ID, DKIM and DMARC, and signs outgoing mail.",
        version: LibraryVersions.text,
        subcommands: [
            ServeCommand.self,
            CheckCommand.self,
            SignCommand.self,
            KeygenCommand.self,
            KeyCommand.self,
            LookupCommand.self,
            ConfigCommand.self,
            StatusCommand.self,
            ReloadCommand.self,
            WhyCommand.self,
            HistoryCommand.self,
            TopCommand.self,
            TryCommand.self,
            ReportCommand.self,
            LedgerCommand.self,
        ]
    )

    static func main() async {
        CommandStart.requireProc()
        LedgerProgram.runIfAsked()
        await runAsProgram()
    }
}
