internal import ArgumentParser
internal import CommandSupport
internal import EventSpool
internal import Glibc
internal import Ledger
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup
internal import RuleTrial

/// `postern ledger take`.
struct TakeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "take",
        abstract: "Take in what waits in the spool, remove what is too old, and end."
    )

    @OptionGroup var options: StoreOptions

    func run() throws {
        let (store, configuration) = try options.open()
        var messages = 0
        var isComplete = true
        try StoreProblem.reported { () throws(StoreError) in
            _ = try? configuration.spool.closeOrphans()
            try configuration.intake(store).run(notBefore: configuration.oldest) { taken in
                messages += taken.messages
                if let reasons = taken.reasons { Report.write("\(taken.name.fileName(.closed)): \(reasons)") }
            } skipped: { _, error in
                isComplete = false
                Report.write("\(error); it stays in the spool")
            }
            try configuration.retention(store).apply(now: Clock.now)
        }
        try OutputFile.writeToStandardOutput(Array("\(Counted.grouped(messages, "message")) taken in\n".utf8))
        guard isComplete else { throw ExitCode(EX_IOERR) }
    }
}

extension Configuration {
    /// The intake from the spool to a store.
    func intake(_ store: Store) -> Intake {
        let address = reports.isOn ? reports.address : nil
        return Intake(store, from: spool, retention: retention(store)) {
            StoredFacts($0).octets
        } reports: {
            address.map { ReportTally(reportAddress: $0, now: Clock.now) { $0.registrable } }
        }
    }

    /// How long the store keeps what.
    func retention(_ store: Store) -> Retention {
        Retention(store, keep: ledger.keep, keepAnswers: ledger.keepAnswers)
    }

    /// The time before which messages are not kept.
    var oldest: UnixTime { Clock.now + -ledger.keep.components.seconds }
}
