internal import ArgumentParser
internal import CommandSupport
internal import EventSpool
internal import Glibc
internal import Ledger
internal import PosternConfiguration
internal import PosternSetup

/// The options for finding the configuration, the store and the spool.
struct StoreOptions: ParsableArguments {
    @Option(name: .long, help: "The configuration file; without it the installed one, if there is one.")
    var config: String?

    @Option(name: .long, help: "The store, in place of [ledger] store.")
    var store: String?

    /// The settings, with the store of the command line.
    func settings() throws -> Configuration {
        var configuration =
            try (config ?? Configuration.installedPath).map { try ConfigurationFile.load($0) } ?? Configuration()
        if let store { configuration.ledger.store = store }
        return configuration
    }

    /// The store, to be asked.
    func openReadOnly() throws -> Store {
        let path = try settings().ledger.store
        return try StoreProblem.reported { () throws(StoreError) in try Store.openReadOnly(path) }
    }

    /// The store, to be changed.
    func open() throws -> (store: Store, configuration: Configuration) {
        let configuration = try settings()
        let store = try StoreProblem.reported { () throws(StoreError) in
            try Store.open(configuration.ledger.store, maximumOctets: configuration.ledger.maximumOctets)
        }
        return (store, configuration)
    }
}

/// Says what is wrong with the store.
enum StoreProblem {
    /// Runs a question; says what is wrong and ends the command with a status of sysexits(3) where it fails.
    static func reported<Value>(_ question: () throws(StoreError) -> Value) throws -> Value {
        do {
            return try question()
        } catch {
            Report.write("\(error)\(remedy(error))")
            throw ExitCode(status(error))
        }
    }

    /// The command that works, for a user who may not read the store.
    private static func remedy(_ error: StoreError) -> String {
        guard case .denied = error else { return "" }
        var words = Array(CommandLine.arguments.dropFirst())
        let isQuestion = words.first.map { ["history", "top", "why", "try"].contains($0) } ?? false
        words.insert(contentsOf: isQuestion ? ["postern"] : ["postern", "ledger"], at: 0)
        let command = words.map { ShellCommand.word($0) }.joined(separator: " ")
        return " (type: sudo -u postern-ledger \(command))"
    }

    private static func status(_ error: StoreError) -> CInt {
        switch error {
        case .absent: EX_NOINPUT
        case .denied: EX_NOPERM
        case .newer: EX_DATAERR
        case .locked: EX_TEMPFAIL
        case .full, .failed: EX_IOERR
        }
    }
}

extension Configuration {
    /// The directory through which events come.
    var spool: SpoolDirectory { SpoolDirectory(events.spool) }
}
