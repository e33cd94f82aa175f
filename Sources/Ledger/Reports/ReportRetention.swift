internal import AggregateReports
internal import FoundationEssentials
internal import GRDB
public import MailSyntax

extension Store {
    /// How many reports are emptied or removed in one transaction.
    private static let reportStep = 50

    /// Removes the rows of reports that are done or too old, and reports that are older than messages are kept.
    ///
    /// - Parameters:
    ///   - now: the time.
    ///   - keep: how long messages are kept, in seconds.
    ///   - isStopped: asked between two steps.
    func removeOldReports(now: UnixTime, keep: Int64, _ isStopped: () -> Bool) throws(StoreError) {
        while !isStopped() {
            let count = try write { try $0.emptyReports(Self.reportStep, now: now) }
            guard count == Self.reportStep else { break }
        }
        let oldest = ReportDay.of(now + -max(keep, ReportDay.length * Int64(ReportDay.kept + 1)))
        while !isStopped() {
            let count = try write { try $0.removeReports(Self.reportStep, before: oldest) }
            guard count == Self.reportStep else { break }
        }
        try write { database in
            try database.execute(sql: "DELETE FROM report_day WHERE day < ?", arguments: [oldest])
            try database.execute(
                sql: "DELETE FROM report_gate WHERE passed < ?",
                arguments: [(now + -Self.gateMemory).seconds]
            )
            try database.execute(
                sql: "DELETE FROM report_host WHERE newest < ?",
                arguments: [(now + -Self.gateMemory).seconds]
            )
            try database.removeOldSuppressions(now: now)
        }
    }

    /// How many octets a row takes in the store beside its record, about, and a report beside its rows.
    private static let (rowOverhead, reportOverhead) = (40, 1024)

    /// Drops rows of reports, those of the oldest days first and of a day the largest first, until they take up less; then
    /// removes what is known of old reports that are done, likewise.
    ///
    /// Said in `ledger status`.
    ///
    /// - Parameters:
    ///   - share: how many octets they may take.
    ///   - isStopped: asked between two steps.
    func makeRoomForOthers(leaving share: Int, _ isStopped: () -> Bool) throws(StoreError) {
        let size = "SELECT total(octets + \(Self.rowOverhead) * entries) FROM report WHERE kept = 1"
        guard try read({ try Double.fetchOne($0, sql: size) ?? 0 }) > Double(share) else {
            return try removeDone(leaving: share, isStopped)
        }
        // More than is needed, so that the next segments find room.
        let aim = Double(share / 8 * 7)
        var dropped = 0
        while !isStopped() {
            let count = try write { database in
                guard try Double.fetchOne(database, sql: size) ?? 0 > aim else { return 0 }
                return try database.dropRows(Self.reportStep)
            }
            dropped += count
            if count == 0 { break }
        }
        let reports = dropped
        guard reports > 0 else { return }
        try write { try $0.note("the rows of \(reports) reports had no room in the store: [ledger] max_bytes") }
    }

    private func removeDone(leaving share: Int, _ isStopped: () -> Bool) throws(StoreError) {
        while !isStopped() {
            let count = try write { database in
                let reports = try Int.fetchOne(database, sql: "SELECT count(*) FROM report") ?? 0
                return reports > share / Self.reportOverhead ? try database.removeDone(Self.reportStep) : 0
            }
            guard count == Self.reportStep else { return }
        }
    }

    /// Removes what domain owners would be told of a domain: reports about it, rows that name it, and who refused there.
    ///
    /// What somebody has stopped for good stays stopped.
    ///
    /// - Parameter domain: the domain.
    /// - Returns: how many messages are no longer counted.
    @discardableResult
    public func forgetReports(of domain: DomainName) throws(StoreError) -> Int {
        let name = domain.description
        return try write { database in
            let find = "SELECT id FROM report WHERE domain = ?"
            var count = 0
            for id in try Int64.fetchAll(database, sql: find, arguments: [name]) {
                count += try database.uncount(report: id)
                try database.remove(report: id)
            }
            count += try database.removeRows(naming: name)
            try database.execute(sql: "DELETE FROM report_gate WHERE domain = ?", arguments: [name])
            let range = AddressKey.range(ofDomain: name)
            try database.execute(
                sql: """
                    DELETE FROM report_suppression
                    WHERE destination >= ? AND destination < ? AND until IS NOT NULL
                    """,
                arguments: [range.first, range.end]
            )
            return count
        }
    }
}

extension Database {
    /// Removes the rows of some reports that are done or too old; returns of how many.
    fileprivate func emptyReports(_ count: Int, now: UnixTime) throws -> Int {
        let oldest = ReportDay.first(at: now)
        let identifiers = try Int64.fetchAll(
            self,
            sql: """
                SELECT id FROM report AS r WHERE kept = 1 AND (day < ? OR state <> 'open'
                AND NOT EXISTS (SELECT 1 FROM report_delivery WHERE report = r.id AND due IS NOT NULL)) LIMIT ?
                """,
            arguments: [oldest, count]
        )
        for id in identifiers {
            try execute(sql: "DELETE FROM report_row WHERE report = ?", arguments: [id])
            try execute(sql: "UPDATE report SET kept = 0 WHERE id = ?", arguments: [id])
        }
        return identifiers.count
    }

    /// Drops the rows of some reports of the oldest days; returns of how many.
    fileprivate func dropRows(_ count: Int) throws -> Int {
        let sql = "SELECT id FROM report WHERE kept = 1 ORDER BY day, octets DESC LIMIT ?"
        let identifiers = try Int64.fetchAll(self, sql: sql, arguments: [count])
        for id in identifiers {
            try execute(sql: "DELETE FROM report_row WHERE report = ?", arguments: [id])
            try execute(
                sql: "UPDATE report SET kept = 0, state = iif(state = 'open', ?, state) WHERE id = ?",
                arguments: [ReportState.dropped.rawValue, id]
            )
            try execute(
                sql:
                    "UPDATE report_delivery SET state = ?, due = NULL, detail = ? WHERE report = ? AND due IS NOT NULL",
                arguments: [DeliveryState.givenUp.rawValue, "its rows had no room in the store", id]
            )
        }
        return identifiers.count
    }

    /// Removes some reports of the oldest days that have no rows any more; returns how many.
    fileprivate func removeDone(_ count: Int) throws -> Int {
        let sql = "SELECT id FROM report WHERE kept = 0 AND state <> 'no room' ORDER BY day LIMIT ?"
        let identifiers = try Int64.fetchAll(self, sql: sql, arguments: [count])
        for id in identifiers {
            _ = try uncount(report: id)
            try remove(report: id)
        }
        return identifiers.count
    }

    fileprivate func removeReports(_ count: Int, before day: Int) throws -> Int {
        let sql = "SELECT id FROM report WHERE day < ? LIMIT ?"
        let identifiers = try Int64.fetchAll(self, sql: sql, arguments: [day, count])
        for id in identifiers { try remove(report: id) }
        return identifiers.count
    }

    fileprivate func remove(report id: Int64) throws {
        try execute(sql: "DELETE FROM report_row WHERE report = ?", arguments: [id])
        try execute(sql: "DELETE FROM report_delivery WHERE report = ?", arguments: [id])
        try execute(sql: "DELETE FROM report WHERE id = ?", arguments: [id])
    }

    /// Takes the messages of a report out of the count of its day; returns how many there were.
    fileprivate func uncount(report id: Int64) throws -> Int {
        let sql = "SELECT day, CAST(messages AS INTEGER) FROM report WHERE id = ? AND day BETWEEN 0 AND ?"
        guard let row = try Row.fetchOne(self, sql: sql, arguments: [id, ReportDay.valid.upperBound]) else { return 0 }
        let (day, messages) = try (row.decode(Int.self, atIndex: 0), row.decode(Int.self, atIndex: 1))
        try add(counted: 0 &- messages, on: day)
        return messages
    }

    /// Takes messages out of the count of the day of a report.
    private func uncount(_ messages: Int, of id: Int64) throws {
        let sql = "SELECT day FROM report WHERE id = ? AND day BETWEEN 0 AND ?"
        guard let day = try Int.fetchOne(self, sql: sql, arguments: [id, ReportDay.valid.upperBound]) else { return }
        try add(counted: 0 &- messages, on: day)
    }

    /// Removes the rows that name a domain; returns how many messages they counted.
    fileprivate func removeRows(naming domain: String) throws -> Int {
        var found: [(report: Int64, hash: Data, count: Int, octets: Int)] = []
        let sql = """
            SELECT CAST(report AS INTEGER), CAST(hash AS BLOB), CAST(count AS INTEGER), CAST(record AS BLOB) FROM report_row
            """
        let rows = try Row.fetchCursor(self, sql: sql)
        while let row = try rows.next() {
            let octets = try Array(row.decode(Data.self, atIndex: 3))
            guard let record = ReportRecord(octets: octets), record.names(domain) else { continue }
            found.append(try (row.decode(atIndex: 0), row.decode(atIndex: 1), row.decode(atIndex: 2), octets.count))
        }
        for (id, hash, count, octets) in found {
            try execute(sql: "DELETE FROM report_row WHERE report = ? AND hash = ?", arguments: [id, hash])
            try execute(
                sql: """
                    UPDATE report SET messages = messages - ?1, causing = min(causing, messages - ?1), entries = entries - 1,
                    octets = max(0, octets - ?3) WHERE id = ?2
                    """,
                arguments: [count, id, octets]
            )
            try uncount(count, of: id)
        }
        return found.reduce(0) { $0 &+ $1.count }
    }
}

extension ReportRecord {
    /// Whether a domain is the author's or the sender's, or has signed.
    fileprivate func names(_ domain: String) -> Bool {
        let named = [headerFrom, envelopeFrom, spf?.domain].compactMap { $0 } + signatures.map(\.domain)
        return named.contains { $0.utf8.elementsEqual(domain.utf8) }
    }
}
