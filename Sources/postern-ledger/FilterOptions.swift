internal import ArgumentParser
internal import CommandSupport
internal import Ledger
internal import MailSyntax
internal import PosternSetup

/// The options that say which messages are asked for; all that are given must hold.
struct FilterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Messages since then: 90m, 12h, 7d or 2w ago; a time in UTC such as 2026-11-23, '2026-11-23 12:00' or \
            2026-11-23T12:00:00Z; or seconds since 1970.
            """,
            valueName: "since"
        ),
        transform: TimeBound.init
    )
    var since: [TimeBound] = []

    @Option(help: "Messages before then, written in the same way.", transform: TimeBound.init)
    var until: [TimeBound] = []

    @Option(help: "Those of this author's domain; with a dot before it, those of its subdomains.")
    var author: [String] = []

    @Option(help: "Those of this client: an address, or a network such as 192.0.2.0/24.")
    var client: [String] = []

    @Option(help: "Those of the client with this verified name; with a dot before it, those with a name below it.")
    var clientName: [String] = []

    @Option(help: "Those of the client with this HELO name, written in the same way.")
    var helo: [String] = []

    @Option(help: "Those from this sender: an address, a domain, or '<>' for the null sender.")
    var sender: [String] = []

    @Option(help: "Those to this recipient: an address or a domain.")
    var recipient: [String] = []

    @Option(help: "Those in whose verdict this rule had a part.")
    var rule: [String] = []

    @Option(
        help: ArgumentHelp(
            "Those with this result of a check, such as dmarc=fail; again for another.",
            valueName: "check=result"
        ),
        transform: FilterWords.result
    )
    var result: [MessageFilter.Result] = []

    @Option(help: "Those with this action, such as reject.")
    var action: [String] = []

    @Option(help: "Those for which enforced rules would have had this action.")
    var would: [String] = []

    @Option(help: "Those with this queue ID.")
    var id: [String] = []

    func validate() throws { _ = try filter() }

    /// The filter.
    func filter() throws -> MessageFilter {
        var filter = MessageFilter()
        filter.since = try only(since, "--since")?.time
        filter.until = try only(until, "--until")?.time
        filter.author = try only(author, "--author").map(FilterWords.author)
        filter.client = try only(client, "--client").map(FilterWords.client)
        filter.clientName = try only(clientName, "--client-name").map { try FilterWords.host($0, "--client-name") }
        filter.helo = try only(helo, "--helo").map { try FilterWords.host($0, "--helo") }
        filter.sender = try only(sender, "--sender").map { try FilterWords.address($0, "--sender") }
        filter.recipient = try only(recipient, "--recipient").map { try FilterWords.address($0, "--recipient") }
        filter.rule = try only(rule, "--rule")
        filter.results = result
        filter.action = try only(action, "--action").map(FilterWords.action)
        filter.would = try only(would, "--would").map(FilterWords.would)
        filter.queueID = try only(id, "--id")
        if let since = filter.since, let until = filter.until, since >= until {
            throw ValidationError("--since \(UTCTime(since)) is not before --until \(UTCTime(until))")
        }
        return filter
    }

    /// The value of an option that may be given once.
    private func only<Value>(_ values: [Value], _ option: String) throws -> Value? {
        guard values.count < 2 else { throw ValidationError("\(option) can be given once only") }
        return values.first
    }
}

/// The form of an answer.
enum AnswerFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

/// The form of an answer, as an option.
struct FormatOptions: ParsableArguments {
    @Option(help: "The form of the answer.")
    var format = AnswerFormat.text

    @Flag(name: .customLong("json"), help: .hidden)
    var isJSON = false

    func validate() throws {
        guard isJSON else { return }
        throw ValidationError("there is no option --json; did you mean --format json?")
    }
}
