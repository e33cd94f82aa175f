internal import ArgumentParser
internal import CommandSupport
internal import Glibc
internal import PosternSetup

/// The `postern-ledger` command.
@main
struct PosternLedger: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern-ledger",
        abstract: "Remembers what the mail filter decided, and answers questions about it.",
        discussion: """
            "postern history" runs "postern-ledger history", and so do top, why, try and report; "postern ledger status" runs \
            "postern-ledger status", and so do the others.
            """,
        version: "postern-ledger \(BuildInfo.version)",
        subcommands: [
            HistoryCommand.self,
            TopCommand.self,
            WhyCommand.self,
            TryCommand.self,
            ReportCommand.self,
            ServeCommand.self,
            TakeCommand.self,
            StatusCommand.self,
            CheckCommand.self,
            ForgetCommand.self,
            ExportCommand.self,
            BackupCommand.self,
        ]
    )

    static func main() async {
        CommandStart.requireProc()
        await runAsProgram()
    }
}
