import AggregateReports
import EventSpool
import GRDB
import MailSyntax
import Synchronization
import TestSupport

@testable import Ledger

/// A spool and a store that count messages for reports, with a clock, a DNS and a mail server that do as they are told.
final class ReportFolder {
    /// The day of `SampleEvent.noon`.
    static let day = Int(SampleEvent.noon) / 86_400

    final class Script: Sendable {
        private let state = Mutex(State())

        func withLock<Value>(_ body: (inout State) -> Value) -> Value { state.withLock { body(&$0) } }
    }

    struct State {
        var now = UnixTime(Int64(SampleEvent.noon))
        var verification = DestinationOutcome.own
        var outcome = DeliveryOutcome.accepted("250 Ok")
        /// What the mail server was given.
        var sent: [(recipient: String, message: [UInt8])] = []
    }

    let ledger: LedgerFolder
    let script = Script()
    private var sequence = 0

    init() throws { ledger = try LedgerFolder() }

    var store: Store { ledger.store }

    var now: UnixTime {
        get { script.withLock { $0.now } }
        set { script.withLock { $0.now = newValue } }
    }

    /// What the mail server was given.
    var sent: [(recipient: String, message: [UInt8])] { script.withLock { $0.sent } }

    func answer(_ outcome: DeliveryOutcome) { script.withLock { $0.outcome = outcome } }

    func verify(_ outcome: DestinationOutcome) { script.withLock { $0.verification = outcome } }

    var settings: ReportSettings { ReportSettings(organization: "Example Org", address: "dmarc@example.org") }

    var intake: Intake {
        Intake(store, from: ledger.spool) { _ in
            [1]
        } reports: { [now] in
            ReportTally(reportAddress: "dmarc@example.org", now: now) { $0.labelCount > 1 ? $0.suffix(2) : nil }
        }
    }

    /// Takes events in as one segment.
    func take(_ events: [SampleEvent]) throws {
        sequence += 1
        try ledger.write(events.map(\.line), sequence: sequence)
        try intake.run(notBefore: UnixTime(0))
    }

    /// An event that asks for reports.
    static func event(_ change: (inout SampleEvent) -> Void = { _ in }) -> SampleEvent {
        var event = SampleEvent()
        event.rua = ["mailto:r@example.com"]
        change(&event)
        return event
    }

    /// Goes on to the day after, closes the day, says what becomes of its reports, and waits until they are due.
    func closeDay(_ settings: ReportSettings? = nil) throws {
        now = ReportDay.start(Self.day + 1) + 60
        try take([SampleEvent(time: Double(now.seconds), id: "later")])
        let settings = settings ?? self.settings
        try store.closeDays(settings.window, now: now)
        try store.planReports(settings, now: now)
        // Their time comes within the hours of that day.
        now = ReportDay.start(Self.day + 2)
    }

    /// A sender that does not keep to hours.
    func sender(_ settings: ReportSettings? = nil, keepsToWindow: Bool = false) throws -> ReportSender {
        let surroundings = ReportSender.Surroundings { [script] _, _ in
            script.withLock { $0.verification }
        } send: { [script] recipient, message in
            script.withLock {
                $0.sent.append((recipient, message))
                return $0.outcome
            }
        } now: { [script] in
            script.withLock { $0.now }
        }
        return try ReportSender(store, settings ?? self.settings, surroundings, keepsToWindow: keepsToWindow)
    }

    /// The reports, the newest first.
    func reports(_ filter: ReportFilter = ReportFilter(day: day, domain: nil)) throws -> [ReportSummary] {
        var found = [ReportSummary]()
        try store.reports(filter, settings, now: now) { found.append($0) }
        return found
    }

    /// The states of all deliveries of the day.
    func states() throws -> [String] { try reports().flatMap(\.deliveries).map(\.state) }

    /// The sum of the counts of all rows.
    func counted() throws -> Int {
        try store.read { try Int.fetchOne($0, sql: "SELECT ifnull(sum(count), 0) FROM report_row") ?? 0 }
    }
}
