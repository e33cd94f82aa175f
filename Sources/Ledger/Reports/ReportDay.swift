internal import GRDB
public import MailSyntax

/// Days of UTC, as numbers of days since 1970, and which of them are closed.
public enum ReportDay {
    /// The length of a day in seconds.
    static let length: Int64 = 86_400
    /// How many days back a message may still be counted, and for how many days the rows of reports are kept.
    static let kept = 7
    /// How long a host that has fallen silent keeps a day open, in seconds.
    private static let hostMemory = 2 * length
    /// How much later than its neighbours a message may reach the spool, in seconds.
    private static let slack: Int64 = 10

    /// The day of a time.
    public static func of(_ time: UnixTime) -> Int { Int(time.seconds / length) }

    /// When a day begins.
    public static func start(_ day: Int) -> UnixTime { UnixTime(Int64(day) * length) }

    /// The days that are one: another number is damage.
    static let valid = 0...1_000_000
    /// The times that are one, in seconds since 1970.
    static let validSeconds: ClosedRange<Int64> = 0...1 << 36

    /// The first day whose messages are counted.
    static func first(at now: UnixTime) -> Int { of(now) - kept }

    /// The last day whose messages are counted: clocks may differ.
    static func last(at now: UnixTime) -> Int { of(now) + 1 }

    /// The last day that is over for every host.
    ///
    /// - Parameters:
    ///   - hosts: the time of the newest event of each host.
    ///   - window: when reports are sent.
    ///   - now: the time.
    static func lastOver(hosts: [UnixTime], _ window: SendingWindow, now: UnixTime) -> Int {
        let today = of(now)
        // In the last hour of its window, a report would otherwise wait until the next day.
        let isTime = now - start(today) >= window.lastChance
        let forced = isTime ? today - 1 : today - 2
        let passed = hosts.filter { $0 > now + -hostMemory }.map { of($0 + -slack) - 1 }.min() ?? forced
        return max(forced, min(passed, today - 1))
    }
}

extension Store {
    /// Closes the days that are over: messages of them that come later are counted, and never sent.
    ///
    /// It must be called when all that waits in the spool has been taken in. A clock that was far ahead has closed days
    /// that are not over; they are opened again.
    ///
    /// - Parameters:
    ///   - window: when reports are sent.
    ///   - now: the time.
    /// - Returns: the last closed day, where it is another one now.
    @discardableResult
    public func closeDays(_ window: SendingWindow, now: UnixTime) throws(StoreError) -> Int? {
        let (closed, over) = try read { database in
            // A damaged time holds no day open.
            let sql = "SELECT newest FROM report_host WHERE newest BETWEEN 0 AND ?"
            let hosts = try Int64.fetchAll(database, sql: sql, arguments: [now.seconds]).map { UnixTime($0) }
            return (try database.lastClosedDay(), ReportDay.lastOver(hosts: hosts, window, now: now))
        }
        let isAhead = closed > ReportDay.of(now)
        guard over > closed || isAhead else { return nil }
        return try write { database in
            // Another process may have been faster.
            guard try database.lastClosedDay() == closed else { return nil }
            let day = isAhead ? max(over, try database.lastPlannedDay(upTo: ReportDay.of(now)) ?? over) : over
            try database.mark(.closed, day)
            return day
        }
    }
}

extension Database {
    /// A number that the reports' tables have once.
    enum ReportMark: String {
        /// The last closed day.
        case closed
        /// Since when messages are counted.
        case counting
        /// Since when the mail server takes nothing.
        case away

        /// The greatest value that is one.
        fileprivate var greatest: Int64 {
            switch self {
            case .closed: Int64(ReportDay.valid.upperBound)
            case .counting, .away: ReportDay.validSeconds.upperBound
            }
        }
    }

    /// The last closed day; before the first one, one that no message has.
    ///
    /// Where that is damaged, it is a day of which a report has been planned: it must not count more.
    func lastClosedDay() throws -> Int {
        try value(of: .closed) ?? lastPlannedDay(upTo: ReportDay.valid.upperBound) ?? .min
    }

    /// The value of a mark; nil before it was set, and where it is damaged.
    func value(of mark: ReportMark) throws -> Int? {
        let sql = "SELECT value FROM report_mark WHERE name = ? AND value BETWEEN 0 AND ?"
        return try Int.fetchOne(self, sql: sql, arguments: [mark.rawValue, mark.greatest])
    }

    /// Sets a mark.
    func mark(_ mark: ReportMark, _ value: Int) throws {
        try execute(sql: "INSERT OR REPLACE INTO report_mark VALUES (?, ?)", arguments: [mark.rawValue, value])
    }

    /// Sets a mark where it is not set.
    func markFirst(_ mark: ReportMark, _ time: UnixTime) throws {
        try cachedStatement(sql: "INSERT OR IGNORE INTO report_mark VALUES (?, ?)")
            .execute(arguments: [mark.rawValue, time.seconds])
    }

    /// Takes a mark away.
    func unmark(_ mark: ReportMark) throws {
        try cachedStatement(sql: "DELETE FROM report_mark WHERE name = ?").execute(arguments: [mark.rawValue])
    }

    /// The last day, up to one, of which a report has been planned: it must not count more.
    fileprivate func lastPlannedDay(upTo day: Int) throws -> Int? {
        let sql = "SELECT max(day) FROM report WHERE state NOT IN ('open', 'no room') AND day <= ?"
        return try Int.fetchOne(self, sql: sql, arguments: [day])
    }

    /// Counts messages of a day.
    func add(counted: Int = 0, late: Int = 0, on day: Int) throws {
        try cachedStatement(
            sql: """
                INSERT INTO report_day VALUES (?, ?, ?)
                ON CONFLICT (day) DO UPDATE SET counted = counted + excluded.counted, late = late + excluded.late
                """
        ).execute(arguments: [day, counted, late])
    }
}
