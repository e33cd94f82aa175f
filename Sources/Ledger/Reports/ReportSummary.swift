internal import AggregateReports
internal import GRDB
public import MailSyntax
internal import PosternSetup

/// A report for one destination, to be shown.
public struct ReportDelivery: Sendable, Encodable, Equatable {
    /// The address that the policy names.
    public let destination: String
    /// The address that it went to, where that is another one.
    public let recipient: String?
    /// What becomes of it.
    public let state: String
    /// When it is tried next, in seconds since 1970; nil where nothing remains to be done.
    public let due: Int64?
    /// When it was last tried.
    public let last: Int64?
    /// How many attempts there were.
    public let attempts: Int
    /// Why its state is what it is, such as the reply of the mail server.
    public let detail: String?

    /// Whether something remains to be done.
    public var isOpen: Bool { due != nil }

    /// A delivery, to be shown.
    ///
    /// - Parameters:
    ///   - delivery: the delivery.
    ///   - obstacle: why it does not go any more, although its time has not come.
    init(_ delivery: Delivery, obstacle: String?) {
        destination = delivery.destination
        recipient = delivery.recipient == delivery.destination ? nil : delivery.recipient
        state = (obstacle == nil ? delivery.state : .suppressed).rawValue
        due = obstacle == nil ? delivery.due?.seconds : nil
        last = delivery.last?.seconds
        attempts = delivery.attempts
        detail = obstacle ?? delivery.detail
    }
}

/// An attempt to send a report, to be told.
public struct ReportAttempt: Sendable, Encodable, Equatable {
    /// The day in UTC.
    public let day: String
    /// The policy domain.
    public let domain: String
    /// The address that the policy names.
    public let destination: String
    /// What becomes of the report there.
    public let state: String
    /// Why, such as the reply of the mail server.
    public let detail: String?
    /// When it is tried next, in seconds since 1970; nil where nothing remains to be done.
    public let due: Int64?

    init(_ delivery: Delivery, _ step: DeliveryStep) {
        day = ReportDay.text(delivery.report.day)
        domain = delivery.report.domain
        destination = delivery.destination
        state = step.state.rawValue
        detail = step.detail
        due = step.due?.seconds
    }

    /// Whether the mail server has taken it.
    public var isSent: Bool { state == DeliveryState.sent.rawValue }

    /// The attempt on one line, without what a terminal must not see.
    public var text: String {
        let reason = detail.map { ": \(TextTable.printable($0))" } ?? ""
        let next = due.map { "; next attempt \(UTCTime(UnixTime($0)))" } ?? ""
        let whose = TextTable.printable("report on \(domain) of \(day) to \(destination)", limit: 600)
        return "\(whose): \(state)\(reason)\(next)"
    }
}

/// A report, to be shown.
public struct ReportSummary: Sendable, Encodable, Equatable {
    /// The day in UTC, such as `2026-11-27`.
    public let day: String
    /// The policy domain.
    public let domain: String
    /// Whether messages of the day are still counted.
    public let isDayOpen: Bool
    /// What becomes of it; while its day is open, what would become of it now.
    public let state: String
    /// Its Report-ID; nil before its day is closed.
    public let id: String?
    /// How many messages it counts.
    public let messages: Int
    /// How many of its day came too late to be counted, on whatever domain.
    public let lateOfDay: Int
    /// How many rows it has.
    public let rows: Int
    /// How many messages are counted in rows that do not tell everything.
    public let folded: Int
    /// How many messages of further policies of the day are counted in it.
    public let further: Int
    /// The addresses that the policy names, and to which it can go.
    public let destinations: [String]
    /// The other ones: they ask a mail server to pass it on.
    public let routes: [String]
    /// What became of it for each of them.
    public let deliveries: [ReportDelivery]
}

extension ReportSummary {
    /// A report that cannot be read, with what can.
    fileprivate init(damaged row: Row, closed: Int) {
        let day = (try? row.decode(Int.self, forColumn: "day")).flatMap { ReportDay.valid.contains($0) ? $0 : nil }
        self.day = day.map { ReportDay.text($0) } ?? "?"
        domain = (try? row.decode(String.self, forColumn: "domain")) ?? "?"
        isDayOpen = (day ?? 0) > closed
        state = ReportState.damaged.rawValue
        id = nil
        (messages, lateOfDay, rows, folded, further) = (0, 0, 0, 0, 0)
        (destinations, routes, deliveries) = ([], [], [])
    }
}

/// Which reports are asked for.
public struct ReportFilter: Sendable {
    /// Those of this day, in days since 1970.
    public var day: Int?
    /// Those about this policy domain.
    public var domain: DomainName?

    /// All reports.
    public init() {}

    /// The reports of a day, a domain, or both.
    public init(day: Int?, domain: DomainName?) {
        self.day = day
        self.domain = domain
    }
}

extension Store {
    /// How many reports are read in one transaction.
    private static let reportPage = 200

    /// Gives the reports that meet a filter, the newest first.
    ///
    /// - Parameters:
    ///   - filter: which reports.
    ///   - settings: what decides about those of open days.
    ///   - now: the time.
    ///   - body: called with each.
    public func reports(
        _ filter: ReportFilter,
        _ settings: ReportSettings,
        now: UnixTime,
        _ body: (ReportSummary) throws -> Void
    ) throws {
        var rest = try reportNumbers(filter)[...]
        while !rest.isEmpty {
            let page = rest.prefix(Self.reportPage)
            rest = rest.dropFirst(Self.reportPage)
            let summaries = try read { database in
                let closed = try database.lastClosedDay()
                return try page.compactMap { try database.summary($0, settings, closed: closed, now: now) }
            }
            for summary in summaries { try body(summary) }
        }
    }

    /// The numbers of the reports that meet a filter, the newest first.
    func reportNumbers(_ filter: ReportFilter) throws(StoreError) -> [Int64] {
        try read {
            try Int64.fetchAll(
                $0,
                sql: """
                    SELECT id FROM report WHERE (?1 IS NULL OR day = ?1) AND (?2 IS NULL OR domain = ?2)
                    ORDER BY day DESC, domain, id
                    """,
                arguments: [filter.day, filter.domain?.description]
            )
        }
    }

    /// Whether there are reports, or have been: the store of an earlier release has no room for them.
    public func keepsReports() throws(StoreError) -> Bool {
        try read { database in
            try database.hasReports && Int.fetchOne(database, sql: "SELECT 1 FROM report_host LIMIT 1") != nil
        }
    }

    /// The last closed day; nil before the first is closed.
    public func lastClosedDay() throws(StoreError) -> Int? { try read { try $0.value(of: .closed) } }

    /// When a message of a policy domain last passed DMARC, which opens reports to its owner for 30 days.
    public func lastPass(of domain: DomainName) throws(StoreError) -> UnixTime? {
        try read {
            let sql = "SELECT passed FROM report_gate WHERE domain = ? AND passed BETWEEN 0 AND ?"
            let end = ReportDay.validSeconds.upperBound
            return try Int64.fetchOne($0, sql: sql, arguments: [domain.description, end]).map { UnixTime($0) }
        }
    }
}

extension Database {
    /// A report; nil when it is gone.
    func report(_ id: Int64) throws -> StoredReport? {
        try Row.fetchOne(cachedStatement(sql: "SELECT * FROM report WHERE id = ?"), arguments: [id])
            .map { try StoredReport($0) }
    }

    /// A report, to be shown, also where it cannot be read; nil when it is gone.
    fileprivate func summary(
        _ id: Int64,
        _ settings: ReportSettings,
        closed: Int,
        now: UnixTime
    ) throws -> ReportSummary? {
        do {
            return try report(id).map { try summary($0, settings, closed: closed, now: now) }
        } catch let problem where StoreError.isAboutRow(problem) {
            return try Row.fetchOne(self, sql: "SELECT * FROM report WHERE id = ?", arguments: [id])
                .map { ReportSummary(damaged: $0, closed: closed) }
        }
    }

    private func summary(
        _ report: StoredReport,
        _ settings: ReportSettings,
        closed: Int,
        now: UnixTime
    ) throws -> ReportSummary {
        let find = try cachedStatement(sql: "SELECT * FROM report_delivery WHERE report = ? ORDER BY id")
        let deliveries = try Row.fetchAll(find, arguments: [report.id]).compactMap { try? Delivery($0, report) }
        let state = report.state == .open ? try outlook(of: report, settings, now: now) : report.state
        return ReportSummary(
            day: ReportDay.text(report.day),
            domain: report.domain,
            isDayOpen: report.day > closed,
            state: state.rawValue,
            id: report.state == .open ? nil : report.identity(settings)?.id,
            messages: report.messages,
            lateOfDay: try lateMessages(of: report.day),
            rows: report.entries,
            folded: report.folded,
            further: report.further,
            destinations: report.policy.destinations.filter { !$0.isRoute }.map(\.address),
            routes: report.policy.destinations.filter(\.isRoute).map(\.address),
            deliveries: try deliveries.map { ReportDelivery($0, obstacle: try obstacle(to: $0, settings, now: now)) }
        )
    }

    /// Why a delivery that is to go would not go now.
    private func obstacle(to delivery: Delivery, _ settings: ReportSettings, now: UnixTime) throws -> String? {
        guard delivery.state.isOpen else { return nil }
        if settings.excludes(delivery.report.policy.domain) { return Delivery.exclusion }
        return try suppression(of: delivery.suppressionKey, host: delivery.host, at: now)?.text
    }
}

extension ReportDay {
    /// A day as `2026-11-27`.
    public static func text(_ day: Int) -> String { String(UTCTime(start(day)).description.prefix(10)) }
}
