internal import ArgumentParser
internal import CommandSupport
internal import Glibc
internal import Ledger
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

/// `postern ledger status`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say how much is stored, how many days fit, and what waits."
    )

    @Flag(help: "Print a JSON object on a line.")
    var json = false

    @OptionGroup var options: StoreOptions

    func run() throws {
        let configuration = try options.settings()
        let store = try options.openReadOnly()
        let status = try StoreProblem.reported { () throws(StoreError) in
            try store.status(
                spool: configuration.spool,
                maximumOctets: configuration.ledger.maximumOctets,
                now: Clock.now
            )
        }
        guard !json else { return try OutputFile.writeToStandardOutput(JSONReport.line(status)) }
        let text = status.text(
            maximumOctets: configuration.ledger.maximumOctets,
            keep: configuration.ledger.keep.components.seconds / 86_400,
            isAlone: options.store != nil
        )
        try OutputFile.writeToStandardOutput(Array(text.utf8))
    }
}

/// `postern ledger check`.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read the whole store, and say whether it is sound."
    )

    @OptionGroup var options: StoreOptions

    func run() throws {
        let store = try options.openReadOnly()
        let problems = try StoreProblem.reported { () throws(StoreError) in try store.check() }
        guard problems.isEmpty else {
            for problem in problems { Report.write(problem) }
            throw ExitCode.failure
        }
        try OutputFile.writeToStandardOutput(Array("the store is sound\n".utf8))
    }
}

/// `postern ledger backup`.
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the store, as it is at one moment, to a new file."
    )

    @Argument(help: "The new file.")
    var file: String

    @OptionGroup var options: StoreOptions

    func run() throws {
        let store = try options.openReadOnly()
        // Who may read the store is decided by its directory; a copy stands elsewhere. SQLite fills an empty file.
        try OutputFile.create(file, mode: S_IRUSR | S_IWUSR, [])
        let count = try StoreProblem.reported { () throws(StoreError) in
            do throws(StoreError) {
                try store.backup(to: file)
                return try Store.openReadOnly(file).messageCount()
            } catch {
                unsafe unlink(file)
                throw error
            }
        }
        let name = FieldText.printable(Octets(file), limit: 4096)[...].text
        try OutputFile.writeToStandardOutput(Array("\(Counted.grouped(count, "message")) to \(name)\n".utf8))
    }
}
