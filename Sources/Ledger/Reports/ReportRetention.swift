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
        guard let report = try report(id) else { return 0 }
        try add(counted: -report.messages, on: report.day)
        return report.messages
    }

    /// Removes the rows that name a domain; returns how many messages they counted.
    fileprivate func removeRows(naming domain: String) throws -> Int {
        var found: [(report: Int64, hash: Data, count: Int)] = []
        let rows = try Row.fetchCursor(self, sql: "SELECT report, hash, count, record FROM report_row")
        while let row = try rows.next() {
            guard let record = try ReportRecord(octets: Array(row.decode(Data.self, atIndex: 3))),
                record.names(domain)
            else { continue }
            found.append(try (row.decode(atIndex: 0), row.decode(atIndex: 1), row.decode(atIndex: 2)))
        }
        for (id, hash, count) in found {
            try execute(sql: "DELETE FROM report_row WHERE report = ? AND hash = ?", arguments: [id, hash])
            try execute(
                sql:
                    "UPDATE report SET messages = messages - ?1, causing = min(causing, messages - ?1), entries = entries - 1 WHERE id = ?2",
                arguments: [count, id]
            )
            if let report = try report(id) { try add(counted: -count, on: report.day) }
        }
        return found.reduce(0) { $0 + $1.count }
    }
}

extension ReportRecord {
    /// Whether a domain is the author's or the sender's, or has signed.
    fileprivate func names(_ domain: String) -> Bool {
        let named = [headerFrom, envelopeFrom, spf?.domain].compactMap { $0 } + signatures.map(\.domain)
        return named.contains { $0.utf8.elementsEqual(domain.utf8) }
    }
}
