internal import ArgumentParser
internal import CommandSupport
internal import Ledger
internal import MailSyntax

/// `postern history`.
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List messages, the newest first.",
        discussion: "Where the rules only observe, the action that they would have had is in brackets."
    )

    @OptionGroup var filter: FilterOptions

    @Option(help: "How many messages at most.")
    var limit = 50

    @Option(help: "The form of the answer; json: the events, one a line.")
    var format = AnswerFormat.text

    @OptionGroup var options: StoreOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit: \(limit) is no number of messages; expected 1 or more") }
    }

    func run() throws {
        try EventOutput(format).write(options.openReadOnly(), filter.filter(), limit: limit)
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

    init(_ format: AnswerFormat) {
        self.format = format
    }

    /// Writes the events of a store that meet a filter.
    func write(_ store: Store, _ filter: MessageFilter, limit: Int?) throws {
        var octets = [UInt8]()
        var isEmpty = true
        do {
            try store.events(filter, limit: limit) { stored in
                switch format {
                case .json: octets += stored.json + [.lf]
                case .text: octets += Array(((isEmpty ? HistoryText.head : "") + HistoryText.line(stored)).utf8)
                }
                isEmpty = false
                if octets.count >= Self.block {
                    try OutputFile.writeToStandardOutput(octets)
                    octets = []
                }
                return true
            }
        } catch let error as StoreError {
            try StoreProblem.reported { () throws(StoreError) in throw error }
        }
        if isEmpty, format == .text { octets = Array("no messages\n".utf8) }
        try OutputFile.writeToStandardOutput(octets)
    }
}
