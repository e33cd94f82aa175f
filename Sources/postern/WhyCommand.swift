internal import ArgumentParser
internal import MailSyntax
internal import Policy

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

    @OptionGroup var control: ControlOptions

    func validate() throws {
        if let queueID {
            guard !queueID.isEmpty, queueID.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#%".utf8.contains($0) })
            else {
                throw ValidationError("'\(queueID)' is no queue ID: expected letters and digits, such as 4XyZ1")
            }
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
        let query: [(name: String, value: String?)] = [
            ("format", json ? "json" : nil), ("last", last.map { "\($0)" }), ("client", client),
            ("from", from.map(sender)),
        ]
        do {
            try await control.ask("GET", (replay ? "/why/replay" : "/why") + (queueID.map { "/" + $0 } ?? ""), query)
        } catch let code as ExitCode {
            // The daemon does not remember, or is away: the ledger may know.
            if let queueID, client == nil, from == nil {
                let flags = [replay ? "--replay" : nil, json ? "--json" : nil].compactMap { $0 }
                let options = [("--last", last.map(String.init)), ("--config", control.config)]
                _ = LedgerProgram.replaceThisProcess(
                    ["why", queueID] + flags + options.flatMap { name, value in value.map { [name, $0] } ?? [] }
                )
            }
            throw code
        }
    }

    /// An address without its angle brackets; nothing for the null sender.
    private func sender(_ text: String) -> String { SMTPPath(Octets(text)).mailbox.text }

    /// A domain as an address at it.
    private func address(_ text: String) -> String { text.contains("@") ? text : "a@" + text }
}
