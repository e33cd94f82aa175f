internal import GRDB
public import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

/// How reporting is.
public struct ReportStatus: Sendable, Encodable, Equatable {
    /// A day that is kept.
    public struct Day: Sendable, Encodable, Equatable {
        /// The day in UTC.
        public let day: String
        /// Whether it is closed.
        public let isClosed: Bool
        /// How many messages are counted in reports.
        public let messages: Int
        /// How many came too late to be counted.
        public let late: Int
        /// How many reports there are.
        public let reports: Int
    }

    /// The days, the newest first.
    public let days: [Day]
    /// How many reports of closed days are in which state.
    public let reports: [String: Int]
    /// How many deliveries are in which state.
    public let deliveries: [String: Int]
    /// How many reports were tried today.
    public let today: Int
    /// When the next one goes, in seconds since 1970: within the hours of reports; nil when none does.
    public let next: Int64?
    /// When the mail server last took one, in seconds since 1970; nil where it never did.
    public let lastSent: Int64?
    /// The day of the oldest report that waits for a destination; nil where none waits.
    public let oldest: String?
    /// For how long that has waited, in seconds since the end of its day.
    public let oldestWaits: Int64?
    /// Since when the mail server takes nothing, in seconds since 1970; nil where it took, or refused, the last one.
    public let awaySince: Int64?
    /// Since when messages are counted, in seconds since 1970.
    public let countingSince: Int64?
    /// The mail server; nil where no reports are sent.
    public var server: String?
    /// Why the mail server cannot be used now; nil where it can, or was not asked.
    public var serverProblem: String?
    /// How many destinations get none for some time.
    public let suppressed: Int
}

extension Store {
    /// How reporting is.
    ///
    /// - Parameters:
    ///   - settings: who sends reports; nil where none are sent.
    ///   - now: the time.
    public func reportStatus(_ settings: ReportSettings?, now: UnixTime) throws(StoreError) -> ReportStatus {
        let today = try spent(on: now).values.reduce(0, +)
        let (due, suppressed) = try (nextDue(), suppressions(at: now).count)
        let since = try countedSince()
        return try read { database in
            let oldest = try database.oldestOpenDay()
            return ReportStatus(
                days: try database.reportDays(),
                reports: try database.counts(
                    "SELECT state, count(*) FROM report WHERE state <> 'open' GROUP BY state",
                    ReportState.allCases.map(\.rawValue)
                ),
                deliveries: try database.reportDeliveries() ?? [:],
                today: today,
                next: due.flatMap { settings?.next(due: $0, sentToday: today, now: now) }?.seconds,
                lastSent: try database.lastSent(),
                oldest: oldest.map { ReportDay.text($0) },
                oldestWaits: oldest.map { max(0, now - ReportDay.start($0 + 1)) },
                awaySince: try database.value(of: .away).map { Int64($0) },
                countingSince: since?.seconds,
                suppressed: suppressed
            )
        }
    }
}

extension ReportSettings {
    /// When a report goes whose time comes, or came, at `due`.
    fileprivate func next(due: UnixTime, sentToday: Int, now: UnixTime) -> UnixTime {
        let tomorrow = ReportDay.start(ReportDay.of(now) + 1)
        return window.next(from: max(due, sentToday >= perDay ? tomorrow : now))
    }
}

extension Database {
    /// Whether the tables for reports are there: a store of an earlier release has none before it is written to.
    var hasReports: Bool { get throws { try tableExists("report") } }

    /// How many deliveries are in which state; nil when there is none.
    func reportDeliveries() throws -> [String: Int]? {
        guard try hasReports else { return nil }
        let counts = try counts(
            "SELECT state, count(*) FROM report_delivery GROUP BY state",
            DeliveryState.allCases.map(\.rawValue)
        )
        return counts.isEmpty ? nil : counts
    }

    fileprivate func lastSent() throws -> Int64? {
        try Int64.fetchOne(self, sql: "SELECT max(last) FROM report_delivery WHERE state = 'sent'")
    }

    /// The day of the oldest report with something that remains to be done.
    fileprivate func oldestOpenDay() throws -> Int? {
        let sql = """
            SELECT min(r.day) FROM report_delivery AS d JOIN report AS r ON r.id = d.report WHERE d.due IS NOT NULL
            """
        return try Int.fetchOne(self, sql: sql)
    }

    /// How often each state is; one that is none is damage.
    fileprivate func counts(_ sql: String, _ states: [String]) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for row in try Row.fetchAll(self, sql: sql) {
            let state = (try? row.decode(String.self, atIndex: 0)).flatMap { states.contains($0) ? $0 : nil }
            counts[state ?? ReportState.damaged.rawValue, default: 0] += try row.decode(Int.self, atIndex: 1)
        }
        return counts
    }

    fileprivate func reportDays() throws -> [ReportStatus.Day] {
        let closed = try lastClosedDay()
        let sql = """
            SELECT day, CAST(counted AS INTEGER), CAST(late AS INTEGER), (SELECT count(*) FROM report AS r WHERE r.day = d.day)
            FROM report_day AS d WHERE day BETWEEN 0 AND ? ORDER BY day DESC
            """
        return try Row.fetchAll(self, sql: sql, arguments: [ReportDay.valid.upperBound]).map { row in
            let day = try row.decode(Int.self, atIndex: 0)
            return ReportStatus.Day(
                day: ReportDay.text(day),
                isClosed: day <= closed,
                messages: try row.decode(atIndex: 1),
                late: try row.decode(atIndex: 2),
                reports: try row.decode(atIndex: 3)
            )
        }
    }
}

extension ReportStatus {
    /// How many days are shown.
    private static let shownDays = 7

    /// The status for people.
    public var text: String {
        var lines = days.prefix(Self.shownDays).map { day in
            let late = day.late > 0 ? ", \(day.late.grouped) too late" : ""
            return
                "\(day.day) \(day.isClosed ? "closed" : "open")  \(Counted.grouped(day.messages, "message")) in \(Counted.grouped(day.reports, "report"))\(late)"
        }
        if days.isEmpty { lines.append("no message has been counted yet") }
        if let countingSince { lines.append("counting    since \(UTCTime(UnixTime(countingSince)))") }
        for (name, counts, states) in [
            ("reports", reports, ReportState.allCases.map(\.rawValue)),
            ("deliveries", deliveries, DeliveryState.allCases.map(\.rawValue)),
        ] {
            lines += TextTable.entry(name, Self.words(counts, states), indent: 12)
        }
        if let oldest, let oldestWaits {
            lines.append("oldest      of \(oldest), waits for \(Self.span(oldestWaits))")
        }
        let last = lastSent.map { "; last sent \(UTCTime(UnixTime($0)))" } ?? ""
        lines.append("today       \(today) tried\(last)")
        if let next { lines.append("next        \(UTCTime(UnixTime(next)))") }
        if let server {
            let words = TextTable.printable(serverProblem ?? "\(server) answers")
            lines += TextTable.entry("server", words, indent: 12)
        }
        if let awaySince { lines.append("            it has taken nothing since \(UTCTime(UnixTime(awaySince)))") }
        lines.append("suppressed  \(suppressed) destination\(suppressed == 1 ? "" : "s")")
        return lines.map { $0 + "\n" }.joined()
    }

    /// A time in hours, or in days where it is long.
    private static func span(_ seconds: Int64) -> String {
        let hours = seconds / 3600
        return hours < 48 ? Counted.words(hours, "hour") : Counted.words(hours / 24, "day")
    }

    static func words(_ counts: [String: Int], _ order: [String]) -> String {
        let words = order.compactMap { state in counts[state].map { "\($0.grouped) \(state)" } }
        return words.isEmpty ? "none" : words.joined(separator: ", ")
    }
}
