internal import ArgumentParser
internal import CommandSupport
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
        try OutputFile.writeToStandardOutput(json ? JSONReport.line(status) : Array(status.text.utf8))
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

/// `postern ledger forget`.
struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Delete all messages of an address or a domain.",
        discussion: """
            Every message goes whole that has the address as its sender or among its recipients, or the domain there or \
            as its author's. Segments that wait in the spool are not changed: take them in first.
            """
    )

    @Option(help: "The address of a sender or recipient.")
    var address: String?

    @Option(help: "The domain of senders, recipients or authors.")
    var domain: String?

    @OptionGroup var options: StoreOptions

    func validate() throws {
        guard (address == nil) != (domain == nil) else { throw ValidationError("expected --address or --domain") }
        if let address, !address.contains("@") {
            throw ValidationError("--address: '\(address)' is no address; expected one such as a@example.org")
        }
        if let domain { _ = try Names.domain(domain, "--domain") }
    }

    func run() throws {
        let (store, _) = try options.open()
        let name = try domain.map { try Names.domain($0, "--domain").description }
        let wanted = name.map { MessageFilter.Address.domain($0) } ?? MessageFilter.Address(address ?? "")
        let count = try StoreProblem.reported { () throws(StoreError) in try store.forget(wanted) }
        try OutputFile.writeToStandardOutput(Array("\(count) message\(count == 1 ? "" : "s") deleted\n".utf8))
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
        try StoreProblem.reported { () throws(StoreError) in try store.backup(to: file) }
    }
}
