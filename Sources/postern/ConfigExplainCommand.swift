internal import ArgumentParser
internal import CommandSupport
internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import PosternConfiguration
internal import PosternSetup

/// `postern config explain`.
struct ConfigExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show what each rule makes of a message, and which one decides.",
        discussion: """
            Judges the message, or without one the envelope alone, as the daemon would, and prints the rules in order: \
            each condition with its value and its line, and what came of it; for recipients whom the rules treat \
            differently, once for each kind.
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
        let setup = try lookups.setup(config)
        let message = try transaction.storedMessage()
        let envelope = transaction.envelope(message)
        transaction.noteExemption(setup, envelope)
        let judgement = await MessageJudge(setup).judge(
            envelope,
            message: message,
            now: now?.time ?? Clock.now
        )
        try Colours.write(explanation(of: judgement, by: setup.engine) + judgement.text(withTrace: false))
        lookups.noteSilence(of: setup.resolver)
        await setup.resolver.close()
    }

    private func explanation(of judgement: Judgement, by engine: PolicyEngine) -> String {
        if engine.rules.isEmpty { return "There are no rules.\n\n" }
        let envelope = judgement.envelope
        let explanations = engine.explain(
            judgement.assessment.facts(envelope),
            engine.kinds(of: envelope.addresses),
            mayRefuseEarly: envelope.relay == nil
        )
        var text = ""
        for explanation in explanations {
            // Usually there is only one kind of recipient, which needs no heading.
            if explanations.count > 1 { text += "For \(judgement.names(of: explanation.recipients)):\n" }
            text += explanation.rules.map { "\($0)\n" }.joined() + "\n"
        }
        return text
    }
}
