internal import ArgumentParser
internal import MailAuthentication
internal import MailSyntax
internal import PosternConfiguration
internal import PosternDaemon

/// `postern check`.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Judge a stored message: what would be stamped and done, and why.",
        discussion:
            "Without a message, the envelope alone is judged. With --batch, each line of a file is a JSON object."
    )

    /// How results are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @Option(name: .long, help: "The client's IP address.")
    var clientIP: String?

    @Option(name: .long, help: "The name the client gave in HELO or EHLO.")
    var helo: String?

    @Option(name: .long, help: "The argument of MAIL FROM; '' or '<>' is the null sender.")
    var mailFrom: String?

    @Option(name: .long, parsing: .upToNextOption, help: "The arguments of RCPT TO.")
    var rcptTo: [String] = []

    @OptionGroup var lookups: LookupOptions

    @Option(name: .long, help: "The time of the judgement: RFC 3339, or seconds since 1970.")
    var now: PointInTime?

    @Option(name: .long, help: "The configuration; by default the installed one, if there is one.")
    var config: String?

    @Flag(name: .long, help: "Show each step of each check.")
    var trace = false

    @Option(name: .long, help: "text or json.")
    var format = Format.text

    @Option(name: .long, help: "Judge each line of this file of JSON Lines; '-' is the standard input.")
    var batch: String?

    @Argument(help: "The message; '-' is the standard input.")
    var message: String?

    func validate() throws {
        if batch != nil, message != nil || clientIP != nil {
            throw ValidationError("--batch takes its messages and envelopes from its file alone")
        }
        if let clientIP, IPAddress(clientIP) == nil {
            throw ValidationError("--client-ip: '\(clientIP)' is no IP address")
        }
    }

    func run() async throws {
        let snapshot = try Snapshot.forCommands(config, lookups)
        let judge = MessageJudge(snapshot)
        if let batch {
            try await BatchCheck(judge: judge, now: now?.seconds, withTrace: trace).run(batch)
        } else {
            try await judgeOne(judge)
        }
        await snapshot.lookups.close()
    }

    private func judgeOne(_ judge: MessageJudge) async throws {
        let stored = try message.map { StoredMessage(try InputFile.read($0)[...]) }
        let envelope = Envelope(
            clientAddress: clientIP.flatMap { IPAddress($0) },
            helo: Array((helo ?? "").utf8),
            sender: SMTPPath(Octets(mailFrom ?? "")).mailbox,
            recipients: rcptTo.map { SMTPPath(Octets($0)).mailbox }
        )
        let judgement = await judge.judge(envelope, message: stored, now: now?.seconds ?? Clock.now)
        switch format {
        case .text: try OutputFile.writeToStandardOutput(Array(judgement.text(withTrace: trace).utf8))
        case .json:
            try OutputFile.writeToStandardOutput(try JSONLine.encode(JudgementReport(judgement, withTrace: trace)))
        }
    }
}
