internal import ArgumentParser
internal import CommandSupport
internal import Glibc
internal import Ledger
internal import MailSyntax
internal import PosternSetup

/// `postern top`.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Count messages by author, client, rule and the like.",
        discussion: "Without --since, those of the last day are counted, or of the day before --until."
    )

    /// How far back messages are counted by default, in seconds.
    private static let span: Int64 = 86_400

    private static let subjects = Tally.Subject.allCases.map(\.rawValue).joined(separator: ", ")

    @Option(help: "What is counted: \(subjects).", transform: subject)
    var by = Tally.Subject.author

    @OptionGroup var filter: FilterOptions

    @Option(parsing: .unconditional, help: "How many lines at most.")
    var limit = 20

    @OptionGroup var form: FormatOptions

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
        let hasSince = filter.since != nil
        filter.since = filter.since ?? (filter.until ?? Clock.now) + -Self.span
        let progress = Progress()
        let tally = try StoreProblem.reported { () throws(StoreError) in
            try store.tally(by, filter, limit: limit, progress: progress.show)
        }
        progress.end()
        switch form.format {
        case .text:
            let text = tally.text(
                isNarrow: isatty(STDOUT_FILENO) == 1,
                span: try reason(tally, store, filter) ?? (hasSince ? "" : span(filter))
            )
            try OutputFile.writeToStandardOutput(Array(text.utf8))
        case .json: try OutputFile.writeToStandardOutput(JSONReport.line(TallyReport(tally)))
        }
    }

    /// Why there is nothing to count, in brackets.
    private func reason(_ tally: Tally, _ store: Store, _ filter: MessageFilter) throws -> String? {
        guard tally.total == 0 else { return nil }
        let reason = try StoreProblem.reported { () throws(StoreError) in try store.reasonForNothing(filter) }
        return reason.map { " (\($0))" }
    }

    /// The default period in words.
    private func span(_ asked: MessageFilter) -> String {
        asked.until == nil ? " of the last day (--since 7d for more)" : " of the day before --until"
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
