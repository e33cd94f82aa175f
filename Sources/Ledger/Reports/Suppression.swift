internal import GRDB
public import MailSyntax
internal import PosternSetup

/// A destination that gets no reports for some time.
public struct Suppression: Sendable, Encodable, Equatable {
    /// The address, or `@` and a host for all addresses there.
    public let destination: String
    /// Since when, in seconds since 1970.
    public let since: Int64
    /// Until when; nil where somebody has stopped reports for good.
    public let until: Int64?
    /// Why.
    public let reason: String
}

extension Store {
    /// Stops reports to a destination for good.
    ///
    /// - Parameters:
    ///   - destination: an address, or all addresses at a host.
    ///   - now: the time.
    public func suppress(_ destination: MessageFilter.Address, now: UnixTime) throws(StoreError) {
        try write {
            try $0.execute(
                sql: """
                    INSERT INTO report_suppression VALUES (?, ?, NULL, 0, ?) ON CONFLICT (destination)
                    DO UPDATE SET until = NULL, reason = excluded.reason
                    """,
                arguments: [Database.suppressionKey(destination), now.seconds, "stopped by hand"]
            )
        }
    }

    /// Allows reports to a destination again; false where they were not stopped.
    public func unsuppress(_ destination: MessageFilter.Address) throws(StoreError) -> Bool {
        try write {
            try $0.execute(
                sql: "DELETE FROM report_suppression WHERE destination = ?",
                arguments: [Database.suppressionKey(destination)]
            )
            return $0.changesCount > 0
        }
    }

    /// The destinations that get no reports at a time.
    public func suppressions(at now: UnixTime) throws(StoreError) -> [Suppression] {
        try read { database in
            guard try database.hasReports else { return [] }
            let sql = "SELECT * FROM report_suppression WHERE until IS NULL OR until > ? ORDER BY destination"
            return try Row.fetchAll(database, sql: sql, arguments: [now.seconds]).map { Suppression($0) }
        }
    }

    /// What stops reports to an address at a time; nil when nothing does.
    func suppression(of key: String, host: String, at now: UnixTime) throws(StoreError) -> Suppression? {
        try read { try $0.suppression(of: key, host: host, at: now) }
    }
}

extension Database {
    /// What stops reports to an address at a time; nil when nothing does.
    func suppression(of key: String, host: String, at now: UnixTime) throws -> Suppression? {
        let find = try cachedStatement(
            sql: """
                SELECT * FROM report_suppression
                WHERE destination IN (?, ?) AND (until IS NULL OR until > ?) ORDER BY until IS NOT NULL LIMIT 1
                """
        )
        return try Row.fetchOne(find, arguments: [key, host + "@", now.seconds]).map { Suppression($0) }
    }
}

extension Suppression {
    /// A row of the table.
    ///
    /// A damaged one still stops reports.
    fileprivate init(_ row: Row) {
        destination = AddressKey.address((try? row.decode(forColumn: "destination")) ?? "?")
        since = (try? row.decode(forColumn: "since")) ?? 0
        until = (try? row.decode(Int64?.self, forColumn: "until")) ?? nil
        reason = (try? row.decode(forColumn: "reason")) ?? "a reason that cannot be read"
    }

    /// The reason and the time, in words.
    var text: String { until.map { "until \(UTCTime(UnixTime($0))): \(reason)" } ?? reason }
}

extension Database {
    /// How long a destination is left alone after its first refusal, and at most, in seconds.
    private static let firstSuppression = 7 * ReportDay.length
    private static let longestSuppression = 365 * ReportDay.length

    fileprivate static func suppressionKey(_ destination: MessageFilter.Address) -> String {
        switch destination {
        case .address(let address): AddressKey.key(address)
        case .domain(let domain): AddressKey.key("@" + domain)
        }
    }

    /// Stops reports to an address that has refused one: for a week, and after each further refusal for twice as long.
    func suppress(refusing key: String, _ reply: String, now: UnixTime) throws {
        let find = "SELECT length FROM report_suppression WHERE destination = ? AND length BETWEEN 0 AND ?"
        let before = try Int64.fetchOne(self, sql: find, arguments: [key, Self.longestSuppression]) ?? 0
        let length = min(max(before * 2, Self.firstSuppression), Self.longestSuppression)
        try execute(
            sql: """
                INSERT INTO report_suppression VALUES (?, ?, ?, ?, ?) ON CONFLICT (destination) DO UPDATE
                SET since = excluded.since, until = excluded.until, length = excluded.length, reason = excluded.reason
                WHERE until IS NOT NULL
                """,
            arguments: [
                key, now.seconds, (now + length).seconds, length, TextTable.printable("refused: \(reply)", limit: 300),
            ]
        )
    }

    /// Forgets that an address has refused a report.
    func endSuppression(ofRefusing key: String) throws {
        try execute(
            sql: "DELETE FROM report_suppression WHERE destination = ? AND until IS NOT NULL",
            arguments: [key]
        )
    }

    /// Forgets refusals that are so long over that the next one is a first one.
    func removeOldSuppressions(now: UnixTime) throws {
        try execute(sql: "DELETE FROM report_suppression WHERE until + length < ?", arguments: [now.seconds])
    }
}
