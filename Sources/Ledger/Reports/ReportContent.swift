internal import AggregateReports
internal import FoundationEssentials
internal import GRDB
internal import PosternConfiguration
internal import PosternSetup

extension StoredReport {
    /// What stands in the report as its generator.
    private static let generator = "postern-ledger \(BuildInfo.version)"

    /// What the owner should know of the numbers.
    private func errors(damaged: Int) -> [String] {
        var errors = [String]()
        if damaged > 0 { errors.append("\(Counted.words(damaged, "row")) cannot be told, because of a damage") }
        if folded > 0 {
            errors.append(
                "\(folded) messages are counted in rows that do not tell everything, because there were too many"
            )
        }
        if further > 0 {
            errors.append("\(further) messages came under other policies, because the record changed too often")
        }
        return errors
    }

    /// Its identity, with the name and the address that it was planned with, or with those of the settings; nil for an
    /// address without a domain.
    func identity(_ settings: ReportSettings) -> ReportIdentity? {
        ReportIdentity(
            organization: organization ?? settings.organization,
            address: address ?? settings.address,
            day: day,
            policy: policy
        )
    }

    /// A writer of the report as a compressed file, without the rows that cannot be read.
    func writer(_ identity: ReportIdentity, damaged: Int) throws -> ReportWriter {
        try ReportWriter(identity, errors: errors(damaged: damaged), generator: Self.generator)
    }

    /// The pieces of the report as XML, without the rows that cannot be read.
    func document(_ identity: ReportIdentity, damaged: Int) -> ReportDocument {
        ReportDocument(identity, errors: errors(damaged: damaged), generator: Self.generator)
    }
}

/// The compressed file of a report, as it is attached to the message.
public struct ReportFile {
    let report: StoredReport
    let identity: ReportIdentity

    /// Its name (RFC 9990 § 3.5.2).
    public var name: String { identity.fileName }
}

extension Store {
    /// The report as a compressed file: the same octets as long as its day is closed; nil where its rows are gone.
    ///
    /// - Returns: the octets, and how many rows are missing, because they cannot be read.
    func file(
        of report: StoredReport,
        _ identity: ReportIdentity
    ) throws(StoreError) -> (octets: [UInt8], damaged: Int)? {
        try read { database in
            let damaged = try database.damagedRows(of: report.id)
            let writer = try report.writer(identity, damaged: damaged)
            try database.rows(of: report.id) { try writer.append($0, count: $1) }
            return writer.rows > 0 ? (try writer.finish(), damaged) : nil
        }
    }

    /// Says that rows of a report were damaged, once.
    func noteDamage(of report: StoredReport, rows: Int) throws(StoreError) {
        let name = "the report on \(report.domain) of \(ReportDay.text(report.day))"
        try write { try $0.noteOnce("\(Counted.words(rows, "row")) of \(name) cannot be read") }
    }

    /// Gives the reports that meet a filter as XML, piece by piece, as they are now.
    ///
    /// - Parameters:
    ///   - filter: which reports.
    ///   - settings: who sends those of days that are not closed.
    ///   - body: called with each piece.
    public func documents(
        _ filter: ReportFilter,
        _ settings: ReportSettings,
        _ body: ([UInt8]) throws -> Void
    ) throws {
        for (report, identity) in try keptReports(filter, settings) {
            try read { database in
                let damaged = try database.damagedRows(of: report.id)
                try body(report.document(identity, damaged: damaged).opening)
                try database.rows(of: report.id) { try body(ReportDocument.row($0, count: $1)) }
            }
            try body(ReportDocument.closing)
        }
    }

    /// The files of the reports of closed days that meet a filter.
    ///
    /// - Parameters:
    ///   - filter: which reports.
    ///   - settings: who sends them.
    public func files(_ filter: ReportFilter, _ settings: ReportSettings) throws(StoreError) -> [ReportFile] {
        try keptReports(filter, settings).filter { $0.0.state == .made }.map { ReportFile(report: $0, identity: $1) }
    }

    /// The octets of a file; nil where the rows of the report are gone.
    public func octets(of file: ReportFile) throws(StoreError) -> [UInt8]? {
        try self.file(of: file.report, file.identity)?.octets
    }

    /// The reports that meet a filter, and whose rows are kept.
    private func keptReports(
        _ filter: ReportFilter,
        _ settings: ReportSettings
    ) throws(StoreError) -> [(StoredReport, ReportIdentity)] {
        let numbers = try reportNumbers(filter)
        return try read { database in
            try numbers.compactMap { number in
                guard let report = try database.readableReport(number), report.isKept,
                    let identity = report.identity(settings)
                else { return nil }
                return (report, identity)
            }
        }
    }
}

extension Database {
    /// A report; nil when it is gone, or cannot be read.
    fileprivate func readableReport(_ id: Int64) throws -> StoredReport? {
        do {
            return try report(id)
        } catch let problem where StoreError.isAboutRow(problem) {
            return nil
        }
    }

    /// How many rows of a report cannot be read.
    fileprivate func damagedRows(of report: Int64) throws -> Int {
        var readable = 0
        try rows(of: report) { _, _ in readable += 1 }
        let sql = "SELECT count(*) FROM report_row WHERE report = ?"
        return try (Int.fetchOne(self, sql: sql, arguments: [report]) ?? 0) - readable
    }

    /// Gives the rows of a report that can be read with their counts, always in the same order.
    fileprivate func rows(of report: Int64, _ body: (ReportRecord, Int) throws -> Void) throws {
        let sql = "SELECT record, count, hash FROM report_row WHERE report = ? ORDER BY hash"
        let rows = try Row.fetchCursor(self, sql: sql, arguments: [report])
        while let row = try rows.next() {
            if let (record, count) = try? ReportRecord.read(row) { try body(record, count) }
        }
    }
}

extension ReportRecord {
    /// The record and the count of a row of the table; throws where they cannot be what was written.
    fileprivate static func read(_ row: Row) throws -> (ReportRecord, Int) {
        let octets = try Array(row.decode(Data.self, atIndex: 0))
        let count = try row.decode(Int.self, atIndex: 1)
        guard let record = ReportRecord(octets: octets), 1...1 << 40 ~= count,
            try ReportCounter.hash(octets) == row.decode(Data.self, atIndex: 2)
        else { throw StoreError.damaged("a row of a report") }
        return (record, count)
    }
}
