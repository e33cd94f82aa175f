internal import ArgumentParser
internal import CommandSupport
internal import Glibc

/// The second program, which answers some of the subcommands.
enum LedgerProgram {
    private static let name = "postern-ledger"

    /// Replaces this process by postern-ledger where the command line begins with one of its subcommands: it reads the
    /// arguments itself, and prints its own help.
    static func runIfAsked() {
        let words = CommandLine.arguments.dropFirst()
        guard let first = words.first else { return }
        // "postern ledger status" is "postern-ledger status".
        let isGroup = first == LedgerCommand.configuration.commandName
        let commands = [
            HistoryCommand.configuration, TopCommand.configuration, TryCommand.configuration,
            ReportCommand.configuration,
        ]
        guard isGroup || commands.contains(where: { $0.commandName == first }) else { return }
        let message = replaceThisProcess(Array(isGroup ? words.dropFirst() : words))
        Report.write(message)
        exit(EX_UNAVAILABLE)
    }

    /// Replaces this process by postern-ledger; returns only where that is not installed, with what to say then.
    static func replaceThisProcess(_ arguments: [String]) -> String {
        let words = [name] + arguments
        // Never freed: this process ends soon in any case.
        var pointers = unsafe words.map { unsafe strdup($0) } + [nil]
        // A socket's library has it ignored, and that would be inherited.
        signal(SIGPIPE, SIG_DFL)
        for folder in folders {
            // execv(3) does not return unless it fails.
            _ = unsafe execv("\(folder)/\(name)", &pointers)
        }
        return "\(name) is not installed; type: apt install \(name)"
    }

    /// Whether it is there.
    static var isInstalled: Bool { folders.contains { unsafe access("\($0)/\(name)", X_OK) == 0 } }

    /// Where it may be.
    private static var folders: [String] { [ownFolder, "/usr/bin"].compactMap { $0 } }

    /// The folder of this program.
    private static var ownFolder: String? {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        // readlink(2) writes at most the given number of octets, and returns how many.
        let count = unsafe readlink("/proc/self/exe", &path, path.count)
        guard count > 0 else { return nil }
        let octets = path.prefix(count).map { UInt8(bitPattern: $0) }
        guard let slash = octets.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return String(decoding: octets[..<slash], as: UTF8.self)
    }
}

// For the list of subcommands: what they take is known to postern-ledger alone.

/// `postern history`.
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List stored messages, the newest first (postern-ledger)."
    )
}

/// `postern top`.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Count stored messages by author, client, rule and the like (postern-ledger)."
    )
}

/// `postern try`.
struct TryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "try",
        abstract: "Say what other rules would have done with stored messages (postern-ledger)."
    )
}

/// `postern report`.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show and send DMARC reports to domain owners: status, list, show, send (postern-ledger)."
    )
}

/// `postern ledger`.
struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Look after the stored messages: status, check, forget, export (postern-ledger)."
    )
}
