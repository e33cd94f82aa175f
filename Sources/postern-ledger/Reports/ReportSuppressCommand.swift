internal import AggregateReports
internal import ArgumentParser
internal import CommandSupport
internal import Ledger
internal import MailSyntax
internal import PosternSetup

/// `postern report suppress`.
struct ReportSuppressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suppress",
        abstract: "Stop reports to a destination, or allow them again.",
        discussion: "A destination that refuses a report is stopped for 7 days by itself, and then for twice as long.",
        subcommands: [AddCommand.self, RemoveCommand.self, ListCommand.self]
    )

    /// The destination on the command line.
    struct Destination: ParsableArguments {
        @Argument(help: "An address, or a domain for all addresses there.")
        var destination: String

        func validate() throws { _ = try address() }

        /// The destination, with its domain in A-labels.
        func address() throws -> MessageFilter.Address {
            // As it stands in a DMARC record.
            let written = destination.hasPrefix("mailto:") ? ReportDestination(destination)?.address : destination
            switch MessageFilter.Address(written ?? destination) {
            case .domain(let name): return .domain(try Names.domain(name, "the destination").description)
            case .address(let address):
                guard let at = address.lastIndex(of: "@"), at > address.startIndex,
                    !address.hasPrefix("mailto:"), !address[..<at].contains("@") || address.hasPrefix("\""),
                    address.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
                else {
                    throw ValidationError("'\(destination)' is no destination; expected an address or a domain")
                }
                let host = try Names.domain(String(address[address.index(after: at)...]), "the destination")
                return .address("\(address[..<at])@\(host)")
            }
        }
    }

    /// `postern report suppress add`.
    struct AddCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Stop reports to a destination for good."
        )

        @OptionGroup var destination: Destination

        @OptionGroup var options: StoreOptions

        func run() throws {
            // The store is not made where there is none.
            _ = try options.openReadOnly()
            let address = try destination.address()
            let (store, _) = try options.open()
            try StoreProblem.reported { () throws(StoreError) in try store.suppress(address, now: Clock.now) }
            Report.print("no more reports to \(address.words)")
        }
    }

    /// `postern report suppress remove`.
    struct RemoveCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove",
            abstract: "Allow reports to a destination again."
        )

        @OptionGroup var destination: Destination

        @OptionGroup var options: StoreOptions

        func run() throws {
            _ = try options.openReadOnly()
            let address = try destination.address()
            let (store, _) = try options.open()
            let isRemoved = try StoreProblem.reported { () throws(StoreError) in try store.unsuppress(address) }
            guard !isRemoved else { return Report.print("reports to \(address.words) go again, from the next ones on") }
            let stopped = try StoreProblem.reported { () throws(StoreError) in try store.suppressions(at: Clock.now) }
            let hint = Self.hint(stopped.map(\.destination), address)
            Report.write("reports to '\(destination.destination)' are not stopped; \(hint)")
            throw ExitCode.failure
        }

        /// How many destinations are named.
        private static let named = 3

        /// What is stopped: at the same host, where something is.
        private static func hint(_ stopped: [String], _ address: MessageFilter.Address) -> String {
            let near = stopped.filter { $0.split(separator: "@").last.map(String.init) == address.host }
            let shown = (near.isEmpty ? stopped : near).prefix(named)
            guard !shown.isEmpty else { return "no destination is" }
            let more = stopped.count - shown.count
            let rest = more > 0 ? " and \(more) more (postern report suppress list)" : ""
            return "stopped: \(shown.joined(separator: ", "))\(rest)"
        }
    }

    /// `postern report suppress list`.
    struct ListCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the destinations that get no reports."
        )

        @OptionGroup var form: FormatOptions

        @OptionGroup var options: StoreOptions

        func run() throws {
            let store = try options.openReadOnly()
            let list = try StoreProblem.reported { () throws(StoreError) in try store.suppressions(at: Clock.now) }
            switch form.format {
            case .text: try OutputFile.writeToStandardOutput(Array(list.map(ReportText.line).joined().utf8))
            case .json: for each in list { try OutputFile.writeToStandardOutput(JSONReport.line(each)) }
            }
        }
    }
}

extension MessageFilter.Address {
    /// The domain.
    fileprivate var host: String? {
        switch self {
        case .address(let address): address.split(separator: "@").last.map(String.init)
        case .domain(let domain): domain
        }
    }

    /// The destination in words.
    fileprivate var words: String {
        switch self {
        case .address(let address): address
        case .domain(let domain): "all addresses at \(domain)"
        }
    }
}
