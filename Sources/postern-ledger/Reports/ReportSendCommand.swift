internal import ArgumentParser
internal import CommandSupport
internal import EventSpool
internal import Glibc
internal import Ledger
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

/// `postern report send`.
struct ReportSendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send the reports of closed days now, whatever the hour.",
        discussion: """
            Those that wait or were deferred go, as fast as [reports] rate allows. What has been sent or refused does not \
            go again.
            """
    )

    @Option(help: "Only those on this policy domain.")
    var domain: String?

    @OptionGroup var which: ReportOptions

    @Flag(name: .long, help: "Say which would be sent; nothing is sent or changed.")
    var dryRun = false

    @Option(help: "Write the compressed files into this directory; nothing is sent or changed.")
    var directory: String?

    @OptionGroup var options: StoreOptions

    func validate() throws {
        _ = try domain.map { try Names.domain($0, "--domain") }
        guard dryRun, directory != nil else { return }
        throw ValidationError("expected only one of --dry-run and --directory")
    }

    func run() async throws {
        let filter = ReportFilter(day: which.day, domain: try domain.map { try Names.domain($0, "--domain") })
        let target = try directory.map { try ReportDirectory($0) }
        // The store is not made where there is none.
        _ = try options.openReadOnly()
        let configuration = try options.settings()
        guard let settings = configuration.reportSettings else {
            Report.write(ReportDesk.off)
            throw ExitCode.failure
        }
        do {
            if let target { return try write(filesOf(filter, configuration, settings), to: target) }
            if dryRun { return try list(filter, configuration, settings) }
            try plan(options.open().store, configuration, settings)
            try await send(filter, configuration)
        } catch let error as StoreError {
            try StoreProblem.reported { () throws(StoreError) in throw error }
        } catch let error as ConfigurationError {
            for problem in error.problems { Report.print("\(problem)") }
            throw ExitCode(EX_CONFIG)
        }
    }

    /// Closes the days that are over, and says what becomes of their reports.
    private func plan(_ store: Store, _ configuration: Configuration, _ settings: ReportSettings) throws {
        // What waits in the spool belongs into the reports.
        let waiting = (try? configuration.spool.segments().contains { $0.state == .closed }) ?? false
        if !waiting { try store.closeDays(settings.window, now: Clock.now) }
        try store.planReports(settings, now: Clock.now)
        guard let day = which.day, try store.lastClosedDay().map({ $0 < day }) ?? true else { return }
        Report.write("\(ReportDay.text(day)) is not closed; what would be sent is shown by: postern report preview")
        throw ExitCode.failure
    }

    /// Does what `plan` does for a look at what comes of it, and takes it back.
    private func rehearse<Value>(
        _ configuration: Configuration,
        _ settings: ReportSettings,
        _ look: (Store) throws -> Value
    ) throws -> Value {
        let ledger = configuration.ledger
        return try Store.rehearse(ledger.store, maximumOctets: ledger.maximumOctets) { store in
            try plan(store, configuration, settings)
            return try look(store)
        }
    }

    private func list(_ filter: ReportFilter, _ configuration: Configuration, _ settings: ReportSettings) throws {
        let text = try rehearse(configuration, settings) { store in
            var text = ""
            try store.reports(filter, settings, now: Clock.now) { report in
                guard report.deliveries.contains(where: \.isOpen) else { return }
                text += ReportText.lines(report, isCut: StandardOutput.isTerminal)
            }
            return text
        }
        guard !text.isEmpty else { return sayNothingWaits(filter) }
        try OutputFile.writeToStandardOutput(Array((ReportText.head + text).utf8))
    }

    private func filesOf(
        _ filter: ReportFilter,
        _ configuration: Configuration,
        _ settings: ReportSettings
    ) throws -> [ReportFile] {
        try rehearse(configuration, settings) { try $0.files(filter, settings) }
    }

    private func write(_ files: [ReportFile], to directory: ReportDirectory) throws {
        let store = try options.openReadOnly()
        var (written, present, occupied) = (0, 0, 0)
        for file in files {
            guard let octets = try store.octets(of: file) else { continue }
            switch try directory.write(file.name, octets) {
            case .written: written += 1
            case .present: present += 1
            case .occupied: occupied += 1
            }
        }
        let rest = present > 0 ? "; \(Counted.words(present, "report")) there already" : ""
        try say("\(Counted.words(written, "report")) written\(rest)")
        guard occupied == 0 else { throw ExitCode(EX_CANTCREAT) }
    }

    private func send(_ filter: ReportFilter, _ configuration: Configuration) async throws {
        guard let office = try ReportOffice(configuration, keepsToWindow: false) else { return }
        let open = try office.store.openDeliveries(filter)
        if open.isEmpty { sayNothingWaits(filter) }
        var isComplete = true
        var postponed: [String: Int] = [:]
        for id in open {
            do {
                switch try await office.send(id) {
                case .tried(let attempt):
                    try say(attempt.text)
                    isComplete = isComplete && attempt.isSent
                case .postponed(let host, _): postponed[host, default: 0] += 1
                case .idle, .held: continue
                }
            } catch let error as ReportOfficeError {
                Report.write("\(error)")
                throw ExitCode(EX_TEMPFAIL)
            }
        }
        for (host, count) in postponed.sorted(by: { $0.key < $1.key }) {
            Report.write("\(Counted.words(count, "report")) to \(host) for another day: [reports] per_host is reached")
        }
        guard isComplete, postponed.isEmpty else { throw ExitCode.failure }
    }

    private func sayNothingWaits(_ filter: ReportFilter) {
        let command = filter.domain.map { "show \($0)" } ?? "list"
        let day = filter.day.map { " --day \(ReportDay.text($0))" } ?? ""
        Report.print("nothing waits to be sent; why: postern report \(command)\(day)")
    }

    private func say(_ text: String) throws { try OutputFile.writeToStandardOutput(Array("\(text)\n".utf8)) }
}
