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
    /// When the next one is due, in seconds since 1970; nil when none is.
    public let next: Int64?
    /// How many destinations get none for some time.
    public let suppressed: Int
}

extension Store {
    /// How reporting is.
    ///
    /// - Parameter now: the time.
    public func reportStatus(now: UnixTime) throws(StoreError) -> ReportStatus {
        let today = try spent(on: now).values.reduce(0, +)
        let (next, suppressed) = try (nextDue(), suppressions(at: now).count)
        return try read { database in
            ReportStatus(
                days: try database.reportDays(),
                reports: try database.counts("SELECT state, count(*) FROM report WHERE state <> 'open' GROUP BY state"),
                deliveries: try database.reportDeliveries() ?? [:],
                today: today,
                next: next?.seconds,
                suppressed: suppressed
            )
        }
    }
}

extension Database {
    /// Whether the tables for reports are there: a store of an earlier release has none before it is written to.
    var hasReports: Bool { get throws { try tableExists("report") } }

    /// How many deliveries are in which state; nil when there is none.
    func reportDeliveries() throws -> [String: Int]? {
        guard try hasReports else { return nil }
        let counts = try counts("SELECT state, count(*) FROM report_delivery GROUP BY state")
        return counts.isEmpty ? nil : counts
    }

    fileprivate func counts(_ sql: String) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for row in try Row.fetchAll(self, sql: sql) {
            counts[try row.decode(atIndex: 0)] = try row.decode(atIndex: 1)
        }
        return counts
    }

    fileprivate func reportDays() throws -> [ReportStatus.Day] {
        let closed = try lastClosedDay()
        let sql = """
            SELECT day, counted, late, (SELECT count(*) FROM report AS r WHERE r.day = d.day)
            FROM report_day AS d ORDER BY day DESC
            """
        return try Row.fetchAll(self, sql: sql).map { row in
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
        lines.append("reports     \(Self.words(reports, ReportState.allCases.map(\.rawValue)))")
        lines.append("deliveries  \(Self.words(deliveries, DeliveryState.allCases.map(\.rawValue)))")
        lines.append("today       \(today) tried" + (next.map { "; next \(UTCTime(UnixTime($0)))" } ?? ""))
        lines.append("suppressed  \(suppressed) destination\(suppressed == 1 ? "" : "s")")
        return lines.map { $0 + "\n" }.joined()
    }

    static func words(_ counts: [String: Int], _ order: [String]) -> String {
        let words = order.compactMap { state in counts[state].map { "\($0.grouped) \(state)" } }
        return words.isEmpty ? "none" : words.joined(separator: ", ")
    }
}
