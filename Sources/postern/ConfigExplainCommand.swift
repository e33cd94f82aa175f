internal import ArgumentParser
internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import PosternConfiguration
internal import PosternDaemon

/// `postern config explain`.
struct ConfigExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show what each rule makes of a message, and which one decides.",
        discussion: """
            Judges the message, or without one the envelope alone, as the daemon would, and prints the rules in order: \
            each condition with its value and its line, and what came of it.
            """
    )

    @Option(name: .customLong("client-ip"), help: "The client's IP address.")
    var clientIP: String?

    @Option(help: "The name the client gave in HELO or EHLO.")
    var helo: String?

    @Option(help: "The argument of MAIL FROM; '' or '<>' is the null sender.")
    var mailFrom: String?

    @Option(parsing: .upToNextOption, help: "The arguments of RCPT TO.")
    var rcptTo: [String] = []

    @OptionGroup var lookups: LookupOptions

    @Option(help: "The time of the judgement: RFC 3339, or seconds since 1970.")
    var now: PointInTime?

    @Option(help: "The configuration; by default the installed one, if there is one.")
    var config: String?

    @Argument(help: "The message; '-' is the standard input.")
    var message: String?

    func validate() throws {
        if let clientIP, IPAddress(clientIP) == nil {
            throw ValidationError("--client-ip: '\(clientIP)' is no IP address")
        }
    }

    func run() async throws {
        let snapshot = try Snapshot.forCommands(config, lookups)
        let stored = try message.map { StoredMessage(try InputFile.read($0)[...]) }
        let envelope = Envelope(
            clientAddress: clientIP.flatMap { IPAddress($0) },
            helo: Array((helo ?? "").utf8),
            sender: SMTPPath(Octets(mailFrom ?? "")).mailbox,
            recipients: rcptTo.map { SMTPPath(Octets($0)).mailbox }
        )
        let judgement = await MessageJudge(snapshot).judge(envelope, message: stored, now: now?.seconds ?? Clock.now)
        let rules = snapshot.engine.explain(judgement.assessment.facts(envelope))
        var text = rules.map { "\($0)\n" }.joined()
        text += rules.isEmpty ? "There are no rules.\n\n" : "\n"
        text += judgement.text(withTrace: false)
        try OutputFile.writeToStandardOutput(Array(text.utf8))
        await snapshot.lookups.close()
    }
}
