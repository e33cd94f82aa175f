internal import ArgumentParser
internal import MailAuthentication
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

    @OptionGroup var transaction: TransactionArguments

    @OptionGroup var lookups: LookupOptions

    @Option(help: "The time of the judgement: RFC 3339, or seconds since 1970.", transform: PointInTime.init)
    var now: PointInTime?

    @Option(help: "The configuration; by default the installed one, if there is one.")
    var config: String?

    mutating func validate() throws {
        transaction.message = transaction.message ?? lookups.takeMessage()
    }

    func run() async throws {
        let snapshot = try Snapshot.forCommands(config, lookups)
        let envelope = transaction.envelope
        let judgement = await MessageJudge(snapshot).judge(
            envelope,
            message: try transaction.storedMessage(),
            now: now?.seconds ?? Clock.now
        )
        let rules = snapshot.engine.explain(judgement.assessment.facts(envelope))
        var text = rules.map { "\($0)\n" }.joined()
        text += rules.isEmpty ? "There are no rules.\n\n" : "\n"
        text += judgement.text(withTrace: false)
        try OutputFile.writeToStandardOutput(Array(text.utf8))
        await snapshot.lookups.close()
    }
}
