internal import ArgumentParser
internal import CommandSupport
internal import Glibc
internal import Ledger
internal import MailSyntax
internal import PosternConfiguration

/// `postern ledger forget`.
struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Delete all messages of an address or a domain.",
        discussion: """
            Every message goes whole in which the address, or an address at the domain, is found: as its sender, among \
            its recipients, as the address that Sender ID names, or in a text; and those of authors at the domain. \
            What reports would tell of the domain goes, too. Segments that wait in the spool are not changed: take them in first.
            """
    )

    @Option(help: "The address of a sender or recipient.")
    var address: String?

    @Option(help: "The domain of senders, recipients or authors.")
    var domain: String?

    @Flag(name: .long, help: "Say how many messages would be deleted, and delete none.")
    var dryRun = false

    @Flag(help: "On a terminal, do not ask where more than half of the store would go.")
    var yes = false

    @Argument(help: .hidden)
    var word: String?

    @OptionGroup var options: StoreOptions

    func validate() throws {
        if let word {
            throw ValidationError("'\(word)': did you mean --\(word.contains("@") ? "address" : "domain")?")
        }
        switch (address, domain) {
        case (nil, nil): throw ValidationError("expected --address or --domain")
        case (.some, .some): throw ValidationError("expected only one of --address and --domain")
        case (.some(let address), nil):
            guard case .address = MessageFilter.Address(address), address.contains("@"), address.last != "@" else {
                throw ValidationError("--address: '\(address)' is no address; expected one such as a@example.org")
            }
        case (nil, .some(let domain)):
            guard !domain.contains("@") else {
                throw ValidationError("--domain: '\(domain)' is no domain name; did you mean --address?")
            }
            _ = try Names.domain(domain, "--domain")
        }
    }

    func run() throws {
        let name = try domain.map { try Names.domain($0, "--domain") }
        let wanted = name.map { MessageFilter.Address.domain($0.description) } ?? MessageFilter.Address(address ?? "")
        // The store is not made where there is none.
        let reader = try options.openReadOnly()
        let (messages, total) = try StoreProblem.reported { () throws(StoreError) in
            (try reader.messages(mentioning: wanted), try reader.messageCount())
        }
        guard !messages.isEmpty else {
            Report.write("no stored message has '\(domain ?? address ?? "")'")
            throw ExitCode.failure
        }
        guard !dryRun else { return try say("\(Counted.grouped(messages.count, "message")) would be deleted") }
        try confirm(messages.count, of: total)
        let (store, _) = try options.open()
        let (count, isCleared) = try StoreProblem.reported { () throws(StoreError) in
            let count = try store.forget(messages)
            if let name { try store.forgetReports(of: name) }
            return (count, try store.clearLog())
        }
        try say("\(Counted.grouped(count, "message")) deleted; backups, exports and the log are not changed")
        guard !isCleared else { return }
        Report.write(
            "somebody still reads the store, so its old pages stay in \(store.path)-wal and in the file: "
                + "when that has ended, type: postern ledger check"
        )
        throw ExitCode(EX_TEMPFAIL)
    }

    private func say(_ text: String) throws {
        try OutputFile.writeToStandardOutput(Array("\(text)\n".utf8))
    }

    /// Asks on a terminal before most of the store goes.
    private func confirm(_ count: Int, of total: Int) throws {
        guard !yes, count > total / 2, isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return }
        Report.write(
            "\(count.grouped) of \(Counted.grouped(total, "message")) would be deleted; to delete them, type: yes"
        )
        guard readLine() == "yes" else {
            Report.write("nothing was deleted")
            throw ExitCode.failure
        }
    }
}
