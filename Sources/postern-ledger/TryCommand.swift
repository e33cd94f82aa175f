internal import ArgumentParser
internal import CommandSupport
internal import Ledger
internal import MailSyntax
internal import Policy
internal import PosternConfiguration
internal import PosternSetup
internal import RuleTrial

/// `postern try`.
struct TryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "try",
        abstract: "Say what other rules would have done with stored mail.",
        discussion: """
            Every stored message is judged by the rules of FILE, recipients first, as the filter would have done. \
            Nothing is asked of the DNS, and nothing changes. Without --since, the messages of the last seven days \
            are tried.
            """
    )

    /// How far back messages are tried by default, in seconds.
    private static let span: Int64 = 7 * 86_400

    /// How often progress is shown, in messages.
    private static let stride = 4096

    @Argument(help: "The configuration with the new rules.")
    var file: String

    @OptionGroup var filter: FilterOptions

    @Option(help: "The form of the answer.")
    var format = AnswerFormat.text

    @OptionGroup var options: StoreOptions

    func run() throws {
        try StoreProblem.requireReadable(file)
        let trial = try ConfigurationFile.load(file).trial
        let store = try options.openReadOnly()
        var filter = try filter.filter()
        filter.since = filter.since ?? Clock.now + -Self.span
        let report = TrialReport(try tally(trial, store, filter))
        switch format {
        case .text: try OutputFile.writeToStandardOutput(Array(report.text.utf8))
        case .json: try OutputFile.writeToStandardOutput(JSONReport.line(report))
        }
    }

    private func tally(_ trial: Trial, _ store: Store, _ filter: MessageFilter) throws -> TrialTally {
        var tally = TrialTally(trial)
        let progress = Progress()
        var count = 0
        do {
            try store.facts(filter) { row in
                tally.add(row.facts) { row.queueID }
                count += 1
                if count % Self.stride == 0 { progress.show(count, row.time) }
                return true
            }
        } catch let error as StoreError {
            progress.end()
            try StoreProblem.reported { () throws(StoreError) in throw error }
        }
        progress.end()
        return tally
    }
}

extension Configuration {
    /// A trial of the rules.
    var trial: Trial { Trial(PolicyEngine(self), checks: PerCheck { isMade($0) }, refusesRelayed: trust.relays.refuse) }
}
