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
        do {
            return try Store.openReadOnly(path)
        } catch .absent {
            Report.write("\(path): \(absence)")
            throw ExitCode(EX_NOINPUT)
        } catch {
            return try StoreProblem.reported { () throws(StoreError) in throw error }
        }
    }

    /// Why there is no store, as a text to follow its path.
    private var absence: String {
        if let store {
            return unsafe access(store, F_OK) == 0 ? "is no store of postern-ledger" : "does not exist"
        }
        guard config == nil, Configuration.installedPath == nil else {
            return "there is no store yet; postern-ledger serve makes it"
        }
        let path = Configuration.standardPath
        return "there is no store (default place, because \(path) "
            + "\(unsafe access(path, F_OK) == 0 ? "cannot be read" : "does not exist"); another: --config or --store)"
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

    /// Ends the command where this user may not read a file that was named, and says what to type.
    static func requireReadable(_ file: String) throws {
        guard unsafe access(file, R_OK) != 0, errno == EACCES else { return }
        Report.write("\(file): permission denied (type: sudo \(command))")
        throw ExitCode(EX_NOPERM)
    }

    /// The command that works, for a user who may not read the store.
    private static func remedy(_ error: StoreError) -> String {
        guard case .denied = error else { return "" }
        return " (type: sudo -u postern-ledger \(command))"
    }

    /// This command, as it is typed.
    private static var command: String {
        var words = Array(CommandLine.arguments.dropFirst())
        let isQuestion = words.first.map { ["history", "top", "why", "try", "report"].contains($0) } ?? false
        words.insert(contentsOf: isQuestion ? ["postern"] : ["postern", "ledger"], at: 0)
        return words.map { ShellCommand.word($0) }.joined(separator: " ")
    }

    private static func status(_ error: StoreError) -> CInt {
        switch error {
        case .absent: EX_NOINPUT
        case .denied: EX_NOPERM
        case .newer: EX_DATAERR
        case .locked: EX_TEMPFAIL
        case .full, .refused, .damaged, .segment, .failed: EX_IOERR
        }
    }
}

extension Configuration {
    /// What the daemon does, for its log.
    var work: String {
        let sending =
            reports.isOn ? "reports by \(reports.smtp), \(reports.window) UTC" : ReportDesk.off
        return "takes events from \(events.spool) into \(ledger.store), \(sending)"
    }

    /// The directory through which events come.
    var spool: SpoolDirectory { SpoolDirectory(events.spool) }
}
