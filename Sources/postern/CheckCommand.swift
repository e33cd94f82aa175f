internal import ArgumentParser
internal import CommandSupport
internal import MailAuthentication
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

/// `postern check`.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Judge a stored message: what would be stamped and done, and why.",
        discussion:
            """
            Without a message, the envelope alone is judged. Without --client-ip and --helo, the client is the one of the \
            message's topmost Received field; without --mail-from, the sender is that of its Return-Path field. With \
            --batch, each line of a file is a JSON object. The exit status is 0 whatever the verdict, also where no name \
            server answers, which is said.
            """
    )

    /// How results are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @OptionGroup var transaction: TransactionArguments

    @OptionGroup var lookups: LookupOptions

    @Option(
        name: .long,
        help: "The time of the judgement: RFC 3339, or seconds since 1970.",
        transform: PointInTime.init
    )
    var now: PointInTime?

    @Option(name: .long, help: "The configuration; by default the installed one, if there is one.")
    var config: String?

    @Flag(name: .long, help: "Show each step of each check.")
    var trace = false

    @Option(name: .long, help: "text or json.")
    var format = Format.text

    @Option(name: .long, help: "Judge each line of this file of JSON Lines; '-' is the standard input.")
    var batch: String?

    mutating func validate() throws {
        transaction.message = transaction.message ?? lookups.takeMessage()
        if batch != nil, !transaction.isEmpty {
            throw ValidationError(
                "--batch takes messages and envelopes from its file alone; write them there, as \"message\", "
                    + "\"client_ip\", \"helo\", \"mail_from\" and \"rcpt_to\""
            )
        }
    }

    func run() async throws {
        if config == nil, Configuration.installedPath == nil {
            let path = Configuration.standardPath
            Report.write("there is no configuration at \(path): judged without rules (type: --config FILE)")
        }
        let setup = try lookups.setup(config)
        let judge = MessageJudge(setup)
        if let batch {
            try await BatchCheck(judge: judge, now: now?.time, withTrace: trace).run(batch)
        } else {
            try await judgeOne(judge, setup)
        }
        lookups.noteSilence(of: setup.resolver)
        await setup.resolver.close()
    }

    private func judgeOne(_ judge: MessageJudge, _ setup: Setup) async throws {
        let message = try transaction.storedMessage()
        let envelope = transaction.envelope(message)
        transaction.noteExemption(setup, envelope)
        let judgement = await judge.judge(
            envelope,
            message: message,
            now: now?.time ?? Clock.now
        )
        switch format {
        case .text: try Colours.write(judgement.text(withTrace: trace))
        case .json:
            try OutputFile.writeToStandardOutput(try JSONReport.line(JudgementReport(judgement, withTrace: trace)))
        }
    }
}
