internal import ArgumentParser
internal import CommandSupport
internal import Ledger
internal import MailSyntax
internal import PosternSetup

/// `postern top`.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Count messages by author, client, rule and the like.",
        discussion: "Without --since, those of the last day are counted."
    )

    /// How far back messages are counted by default, in seconds.
    private static let span: Int64 = 86_400

    private static let subjects = Tally.Subject.allCases.map(\.rawValue).joined(separator: ", ")

    @Option(help: "What is counted: \(subjects).", transform: subject)
    var by = Tally.Subject.author

    @OptionGroup var filter: FilterOptions

    @Option(help: "How many lines at most.")
    var limit = 20

    @Option(help: "The form of the answer.")
    var format = AnswerFormat.text

    @OptionGroup var options: StoreOptions

    private static func subject(_ text: String) throws -> Tally.Subject {
        guard let subject = Tally.Subject(rawValue: text) else {
            throw ValidationError("'\(text)' cannot be counted; expected one of \(subjects)")
        }
        return subject
    }

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit: \(limit) is no number of lines; expected 1 or more") }
    }

    func run() throws {
        let store = try options.openReadOnly()
        var filter = try filter.filter()
        filter.since = filter.since ?? Clock.now + -Self.span
        let progress = Progress()
        let tally = try StoreProblem.reported { () throws(StoreError) in
            try store.tally(by, filter, limit: limit, progress: progress.show)
        }
        progress.end()
        switch format {
        case .text: try OutputFile.writeToStandardOutput(Array(tally.text.utf8))
        case .json: try OutputFile.writeToStandardOutput(JSONReport.line(TallyReport(tally)))
        }
    }
}

/// A tally as a JSON object.
private struct TallyReport: Encodable {
    struct Entry: Encodable {
        let value: String?
        let count: Int
    }

    let by: String
    let total: Int
    let values: Int
    let entries: [Entry]

    init(_ tally: Tally) {
        by = tally.subject.rawValue
        total = tally.total
        values = tally.values
        entries = tally.entries.map { Entry(value: $0.value, count: $0.count) }
    }
}
