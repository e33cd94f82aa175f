internal import ArgumentParser
internal import CommandSupport
internal import Ledger
internal import MailSyntax
internal import Policy
internal import PosternSetup

/// The options that say which messages are asked for; all that are given must hold.
struct FilterOptions: ParsableArguments {
    @Option(help: "Messages since then: 90m, 12h or 7d ago, or a time such as 2026-11-23T12:00:00Z.")
    var since: TimeBound?

    @Option(help: "Messages until then, written in the same way.")
    var until: TimeBound?

    @Option(help: "Those of this author's domain; with a dot before it, those of its subdomains.")
    var author: String?

    @Option(help: "Those of this client: an address, or a network such as 192.0.2.0/24.")
    var client: String?

    @Option(help: "Those from this sender: an address, a domain, or '<>' for the null sender.")
    var sender: String?

    @Option(help: "Those to this recipient: an address or a domain.")
    var recipient: String?

    @Option(help: "Those in whose verdict this rule had a part.")
    var rule: String?

    @Option(
        help: ArgumentHelp(
            "Those with this result of a check, such as dmarc=fail; again for another.",
            valueName: "check=result"
        )
    )
    var result: [ResultWord] = []

    @Option(help: "Those with this action, such as reject.")
    var action: String?

    @Option(help: "Those for which enforced rules would have had this action.")
    var would: String?

    @Option(help: "Those with this queue ID.")
    var id: String?

    func validate() throws { _ = try filter() }

    /// The filter.
    func filter() throws -> MessageFilter {
        var filter = MessageFilter()
        filter.since = since?.time
        filter.until = until?.time
        filter.author = try author.map(domain)
        filter.client = try client.map(network)
        filter.sender = try sender.map { try address($0, "--sender") }
        filter.recipient = try recipient.map { try address($0, "--recipient") }
        filter.rule = rule
        filter.results = result.map(\.result)
        filter.action = action
        filter.would = would
        filter.queueID = id
        return filter
    }

    private func domain(_ text: String) throws -> MessageFilter.Domain {
        guard let domain = try? MessageFilter.Domain(text) else {
            throw ValidationError(
                "--author: '\(text)' is no domain name; expected one such as example.org or .example.org"
            )
        }
        return domain
    }

    private func network(_ text: String) throws -> IPNetwork {
        guard let network = IPNetwork(text) else {
            throw ValidationError(
                "--client: '\(text)' is no IP address; expected one such as 192.0.2.1 or 2001:db8::/32"
            )
        }
        return network
    }

    private func address(_ text: String, _ option: String) throws -> MessageFilter.Address {
        guard !text.isEmpty else { throw ValidationError("\(option): expected an address, a domain, or '<>'") }
        return MessageFilter.Address(text)
    }
}

/// A point in time, or how long ago it was.
struct TimeBound: ExpressibleByArgument {
    let time: UnixTime

    init?(argument: String) {
        if argument.last?.isLetter == true, let seconds = Names.seconds(argument) {
            time = Clock.now + -seconds
        } else if let point = try? PointInTime(argument) {
            time = point.time
        } else {
            return nil
        }
    }
}

/// A result of a check, written `dmarc=fail`.
struct ResultWord: ExpressibleByArgument {
    let result: MessageFilter.Result

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let check = Check(rawValue: String(parts[0]).replacing("-", with: "_")) else {
            return nil
        }
        result = MessageFilter.Result(check, String(parts[1]))
    }
}

/// The form of an answer.
enum AnswerFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}
