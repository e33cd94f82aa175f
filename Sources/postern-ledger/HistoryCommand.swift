internal import ArgumentParser
internal import CommandSupport
internal import Ledger
internal import MailSyntax
internal import PosternConfiguration

/// `postern history`.
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List messages, the newest first.",
        discussion: """
            Where the rules only observe, the action that they would have had is in brackets. With --format json, the \
            events are written, one a line.
            """
    )

    @OptionGroup var filter: FilterOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many messages at most; by default \(Self.lines), and all with --format json.")
    )
    var limit: Int?

    @Flag(name: .long, help: "Show the client and the sender, too, and cut nothing off.")
    var long = false

    @OptionGroup var form: FormatOptions

    @OptionGroup var options: StoreOptions

    /// How many messages are listed by default.
    private static let lines = 50

    func validate() throws {
        guard let limit, limit < 1 else { return }
        throw ValidationError("--limit: \(limit) is no number of messages; expected 1 or more")
    }

    func run() throws {
        let output = EventOutput(form.format, isLong: long)
        let limit = limit ?? (form.format == .text ? Self.lines : nil)
        try output.write(options.openReadOnly(), filter.filter(), limit: limit)
    }
}

/// `postern ledger export`.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write events as JSON, one a line, the newest first."
    )

    @OptionGroup var filter: FilterOptions

    @OptionGroup var options: StoreOptions

    func run() throws {
        try EventOutput(.json).write(options.openReadOnly(), filter.filter(), limit: nil)
    }
}

/// Writes events to standard output.
struct EventOutput {
    private static let block = 64 << 10

    private let format: AnswerFormat
    private let isLong: Bool

    init(_ format: AnswerFormat, isLong: Bool = false) {
        self.format = format
        self.isLong = isLong
    }

    /// Writes the events of a store that meet a filter, and says where it leaves some out.
    func write(_ store: Store, _ filter: MessageFilter, limit: Int?) throws {
        var octets = format == .json ? [] : Array(head.utf8)
        var count = 0
        var isCut = false
        do {
            // One more than is wanted tells whether there are more.
            let most = limit.map { $0 == .max ? $0 : $0 + 1 }
            try store.summaries(filter, limit: most, hasAnswers: format == .json) { stored in
                isCut = count == limit
                guard !isCut else { return false }
                octets += format == .json ? stored.json + [.lf] : Array(line(stored).utf8)
                count += 1
                if octets.count >= Self.block {
                    try OutputFile.writeToStandardOutput(octets)
                    octets = []
                }
                return true
            }
            if count == 0, format == .text { octets = Array(try Self.nothing(store, filter).utf8) }
        } catch let error as StoreError {
            try StoreProblem.reported { () throws(StoreError) in throw error }
        }
        try OutputFile.writeToStandardOutput(octets)
        if isCut { Report.print(Self.cut(count)) }
    }

    private var head: String { isLong ? HistoryText.longHead : HistoryText.head }

    private func line(_ stored: StoredSummary) -> String {
        isLong ? HistoryText.long(stored) : HistoryText.line(stored)
    }

    private static func nothing(_ store: Store, _ filter: MessageFilter) throws(StoreError) -> String {
        "no messages" + (try store.reasonForNothing(filter).map { " (\($0))" } ?? "") + "\n"
    }

    /// The line about the messages that are left out.
    private static func cut(_ count: Int) -> String {
        let more = count.multipliedReportingOverflow(by: 10)
        return
            "\(Counted.grouped(count, "message")), the newest; there are more: --limit \(more.overflow ? count : more.partialValue)"
    }
}
