internal import ArgumentParser
internal import CommandSupport
internal import Glibc
internal import Ledger
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup
internal import SMTPClient

/// `postern report`.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show and send DMARC reports to domain owners.",
        discussion: """
            A report tells the owner of a domain what was seen of mail from there on one day of UTC (RFC 9990). \
            postern-ledger serve sends them when the day is closed; [reports] of postern.toml(5) says whether and when.
            """,
        subcommands: [
            ReportStatusCommand.self,
            ReportListCommand.self,
            ReportShowCommand.self,
            ReportPreviewCommand.self,
            ReportSendCommand.self,
            ReportSuppressCommand.self,
        ]
    )
}

/// The options that say which reports are asked for.
struct ReportOptions: ParsableArguments {
    @Option(help: "The day in UTC, such as 2026-11-27.", transform: day)
    var day: Int?

    private static func day(_ text: String) throws -> Int {
        guard text.utf8.count == 10, let point = try? PointInTime(text) else {
            throw ValidationError("'\(text)' is no day; expected one such as 2026-11-27")
        }
        return ReportDay.of(point.time)
    }
}

/// A store with reports, and what the configuration says of them.
struct ReportDesk {
    let store: Store
    /// Who sends reports; nobody's name where none are sent any more.
    let settings: ReportSettings
    /// The configuration.
    let configuration: Configuration
    /// Whether reports are sent.
    var isOn: Bool { configuration.reportSettings != nil }

    /// Opens the store to ask it; ends the command where it knows of no report.
    init(_ options: StoreOptions) throws {
        configuration = try options.settings()
        store = try options.openReadOnly()
        let isKept = try StoreProblem.reported { [store] () throws(StoreError) in try store.keepsReports() }
        let isOn = configuration.reportSettings != nil
        guard isKept else {
            Report.write(isOn ? Self.nothingCounted : Self.off)
            throw ExitCode.failure
        }
        settings = configuration.reportSettings ?? ReportSettings(organization: "-", address: "-@localhost")
        if !isOn { Report.write(Self.off) }
    }

    /// What to say where no reports are sent.
    static let off = "no reports are sent: [reports] lacks organization or address"

    /// What to say where none has been counted.
    private static let nothingCounted =
        """
        no message has been counted for a report yet
        those count that postern-ledger takes in once it has read [reports]; type:
          systemctl reload postern-ledger
        """

    /// Says why no report meets a filter, and where there are some.
    ///
    /// - Parameters:
    ///   - filter: which reports.
    ///   - command: the command that was asked, to be typed again.
    func sayAbsence(_ filter: ReportFilter, command: String) throws {
        let absence: ReportAbsence
        do {
            absence = try store.absence(filter, reportAddress: settings.address)
        } catch let error as StoreError {
            return try StoreProblem.reported { () throws(StoreError) in throw error }
        }
        Report.write(absence.reason)
        if let day = absence.otherDay {
            let count = try each(ReportFilter(day: day, domain: filter.domain)) { _ in }
            let of = filter.domain.map { " --domain \($0)" } ?? ""
            let words = command == "show" ? filter.domain.map { " \($0)" } ?? "" : of
            let (text, reports) = (ReportDay.text(day), Counted.grouped(count, "report"))
            Report.print("of \(text): \(reports)\n  postern report \(command)\(words) --day \(text)")
        } else if let domain = absence.otherDomain {
            Report.print("type: postern report show \(domain)")
        } else if let domain = filter.domain {
            Report.print("what came is shown by: postern history --author \(domain)")
        }
    }

    /// Gives the reports that meet a filter; returns how many there are.
    func each(_ filter: ReportFilter, _ body: (ReportSummary) throws -> Void) throws -> Int {
        var count = 0
        do {
            try store.reports(filter, settings, now: Clock.now) {
                count += 1
                try body($0)
            }
        } catch let error as StoreError {
            try StoreProblem.reported { () throws(StoreError) in throw error }
        }
        return count
    }
}

/// `postern report status`.
struct ReportStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say which days are closed, and how many reports wait, were sent or failed.",
        discussion: "The mail server of [reports] smtp is connected to, and heard for two seconds at most."
    )

    @OptionGroup var form: FormatOptions

    @OptionGroup var options: StoreOptions

    func run() async throws {
        let desk = try ReportDesk(options)
        let settings = desk.configuration.reportSettings
        var status = try StoreProblem.reported { () throws(StoreError) in
            try desk.store.reportStatus(settings, now: Clock.now)
        }
        if settings != nil {
            status.server = "\(desk.configuration.reports.smtp)"
            status.serverProblem = await desk.configuration.reports.smtp.problem
        }
        switch form.format {
        case .text: try OutputFile.writeToStandardOutput(Array(status.text.utf8))
        case .json: try OutputFile.writeToStandardOutput(JSONReport.line(status))
        }
    }
}

/// `postern report list`.
struct ReportListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the reports of a day, a line for each destination.",
        discussion: """
            Without --day, those of the last day that is closed. What would become of a report whose day is not closed is \
            in brackets. Long names are cut on a terminal only.
            """
    )

    @OptionGroup var which: ReportOptions

    @OptionGroup var form: FormatOptions

    @OptionGroup var options: StoreOptions

    func run() throws {
        let desk = try ReportDesk(options)
        let closed = try StoreProblem.reported { () throws(StoreError) in try desk.store.lastClosedDay() }
        let day = which.day ?? closed ?? ReportDay.of(Clock.now)
        if form.format == .text { try OutputFile.writeToStandardOutput(Array(ReportText.head.utf8)) }
        let count = try desk.each(ReportFilter(day: day, domain: nil)) { report in
            switch form.format {
            case .text:
                let lines = ReportText.lines(report, isCut: StandardOutput.isTerminal)
                try OutputFile.writeToStandardOutput(Array(lines.utf8))
            case .json: try OutputFile.writeToStandardOutput(JSONReport.line(report))
            }
        }
        if count == 0 {
            Report.print("no reports of \(ReportDay.text(day)); the days are shown by: postern report status")
        }
    }
}

/// `postern report show`.
struct ReportShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Say why reports on a domain go, or do not."
    )

    @Argument(help: "The policy domain: the one whose DMARC record applies.")
    var domain: String

    @OptionGroup var which: ReportOptions

    @OptionGroup var form: FormatOptions

    @OptionGroup var options: StoreOptions

    func validate() throws { _ = try Names.domain(domain, "the domain") }

    func run() throws {
        let desk = try ReportDesk(options)
        let name = try Names.domain(domain, "the domain")
        let pass = try StoreProblem.reported { () throws(StoreError) in try desk.store.lastPass(of: name) }
        let filter = ReportFilter(day: which.day, domain: name)
        let count = try desk.each(filter) { report in
            switch form.format {
            case .text: try OutputFile.writeToStandardOutput(Array(ReportText.story(report, lastPass: pass).utf8))
            case .json: try OutputFile.writeToStandardOutput(JSONReport.line(report))
            }
        }
        guard count == 0 else { return }
        try desk.sayAbsence(filter, command: "show")
        throw ExitCode.failure
    }
}

/// `postern report preview`.
struct ReportPreviewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "Write reports as XML, as they would be now.",
        discussion: "Without --day, those of today; without --domain, those on all domains, one after the other."
    )

    @Option(help: "The policy domain.")
    var domain: String?

    @OptionGroup var which: ReportOptions

    @OptionGroup var options: StoreOptions

    func validate() throws { _ = try domain.map { try Names.domain($0, "--domain") } }

    func run() throws {
        let desk = try ReportDesk(options)
        let name = try domain.map { try Names.domain($0, "--domain") }
        let filter = ReportFilter(day: which.day ?? ReportDay.of(Clock.now), domain: name)
        var isWritten = false
        do {
            try desk.store.documents(filter, desk.settings) { piece in
                isWritten = true
                try OutputFile.writeToStandardOutput(piece)
            }
        } catch let error as StoreError {
            try StoreProblem.reported { () throws(StoreError) in throw error }
        }
        guard isWritten else {
            try desk.sayAbsence(filter, command: "preview")
            throw ExitCode.failure
        }
        try sayWhatDoesNotGo(desk, filter)
    }

    /// Says beside the XML which of it nobody gets.
    private func sayWhatDoesNotGo(_ desk: ReportDesk, _ filter: ReportFilter) throws {
        var obstacles = [String]()
        let count = try desk.each(filter) { report in
            let pass = try filter.domain.flatMap { try desk.store.lastPass(of: $0) }
            if let obstacle = ReportText.obstacle(report, lastPass: pass) { obstacles.append(obstacle) }
        }
        if filter.domain != nil { return obstacles.forEach { Report.print($0) } }
        guard !obstacles.isEmpty, let day = filter.day.map({ ReportDay.text($0) }) else { return }
        let all = Counted.grouped(count, "report")
        Report.print("\(obstacles.count) of \(all) will not go: postern report list --day \(day)")
    }
}
