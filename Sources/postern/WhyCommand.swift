internal import ArgumentParser
internal import CommandSupport
internal import Glibc
internal import MailSyntax
internal import Policy
internal import PosternConfiguration

/// `postern why`.
struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Tell why a message got its verdict.",
        discussion: """
            The daemon remembers its last verdicts other than a clean pass ([why] history) with what they rest on. Without \
            a queue ID, the last ones are told, the latest first; those of a client or a sender alone with --client or \
            --from. Where it does not remember, postern-ledger is asked, if that is installed.
            """
    )

    @Argument(help: "The message's queue ID, as the log shows it.")
    var queueID: String?

    @Option(help: "How many messages at most; without a queue ID 10 by default.")
    var last: Int?

    @Option(help: "Only those of this client: an address, or a network such as 192.0.2.0/24.")
    var client: String?

    @Option(help: "Only those from this sender: an address, a domain, or '<>' for the null sender.")
    var from: String?

    @Flag(name: .long, help: "Judge it again by the present configuration, from the answers recorded then.")
    var replay = false

    @Flag(help: "Print each message as a JSON object on a line.")
    var json = false

    @Option(help: ArgumentHelp("Ask postern-ledger alone, for this store.", valueName: "file"))
    var store: String?

    @OptionGroup var control: ControlOptions

    func validate() throws {
        if let queueID {
            guard !queueID.isEmpty, queueID.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#%".utf8.contains($0) })
            else {
                throw ValidationError("'\(queueID)' is no queue ID: expected letters and digits, such as 4XyZ1")
            }
        }
        if store != nil, queueID == nil || client != nil || from != nil {
            throw ValidationError("--store: expected a queue ID alone; others are found by: postern history")
        }
        if let last, last < 1 { throw ValidationError("--last: \(last) is no number of messages; expected 1 or more") }
        if let client, IPNetwork(client) == nil {
            throw ValidationError(
                "--client: '\(client)' is no IP address; expected one such as 192.0.2.1 or 2001:db8::1"
            )
        }
        if let from, !sender(from).isEmpty, MailAddress(address(sender(from))).domain == nil {
            throw ValidationError(
                "--from: '\(from)' is no address; expected one such as a@example.org, a domain, or '<>'"
            )
        }
    }

    func run() async throws {
        if let queueID, store != nil {
            Report.write(askLedger(queueID))
            throw ExitCode(EX_UNAVAILABLE)
        }
        let query: [(name: String, value: String?)] = [
            ("format", json ? "json" : nil), ("last", last.map { "\($0)" }), ("client", client),
            ("from", from.map(sender)),
        ]
        let path = (replay ? "/why/replay" : "/why") + (queueID.map { "/" + $0 } ?? "")
        do {
            try await Colours.write(control.answer("GET", path, query))
        } catch let refusal as ControlRefusal {
            // The daemon does not remember, or is away: the ledger may know, and else says what the daemon said.
            if let queueID, client == nil, from == nil {
                _ = unsafe setenv("POSTERN_WHY_REFUSAL", refusal.lines.joined(separator: "\n"), 1)
                _ = askLedger(queueID)
            }
            refusal.report()
            if queueID == nil, LedgerProgram.isInstalled { Report.print("stored messages are listed by: \(history)") }
            throw refusal.code
        }
    }

    /// Lets postern-ledger answer; returns only where that is not installed, with what to say then.
    private func askLedger(_ queueID: String) -> String {
        let flags = [replay ? "--replay" : nil, json ? "--json" : nil].compactMap { $0 }
        let options = [("--last", last.map(String.init)), ("--config", control.config), ("--store", store)]
        return LedgerProgram.replaceThisProcess(
            ["why", queueID] + flags + options.flatMap { name, value in value.map { [name, $0] } ?? [] }
        )
    }

    /// The command that lists stored messages of the same client and sender.
    private var history: String {
        let options = [("--client", client), ("--sender", from)]
        let words = options.flatMap { name, value in value.map { [name, ShellCommand.word($0)] } ?? [] }
        return (["postern", "history"] + words).joined(separator: " ")
    }

    /// An address without its angle brackets; nothing for the null sender.
    private func sender(_ text: String) -> String { SMTPPath(Octets(text)).mailbox.text }

    /// A domain as an address at it.
    private func address(_ text: String) -> String { text.contains("@") ? text : "a@" + text }
}
