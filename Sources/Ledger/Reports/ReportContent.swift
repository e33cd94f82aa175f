internal import AggregateReports
internal import FoundationEssentials
internal import GRDB
internal import PosternSetup

extension StoredReport {
    /// What stands in the report as its generator.
    private static let generator = "postern-ledger \(BuildInfo.version)"

    /// What the owner should know of the numbers.
    private var errors: [String] {
        var errors = [String]()
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

    /// A writer of the report as a compressed file.
    func writer(_ identity: ReportIdentity) throws -> ReportWriter {
        try ReportWriter(identity, errors: errors, generator: Self.generator)
    }

    /// The pieces of the report as XML.
    func document(_ identity: ReportIdentity) -> ReportDocument {
        ReportDocument(identity, errors: errors, generator: Self.generator)
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
    func file(of report: StoredReport, _ identity: ReportIdentity) throws(StoreError) -> [UInt8]? {
        try read { database in
            let writer = try report.writer(identity)
            try database.rows(of: report.id) { try writer.append($0, count: $1) }
            return writer.rows > 0 ? try writer.finish() : nil
        }
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
            try body(report.document(identity).opening)
            try read { database in
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
        try self.file(of: file.report, file.identity)
    }

    /// The reports that meet a filter, and whose rows are kept.
    private func keptReports(
        _ filter: ReportFilter,
        _ settings: ReportSettings
    ) throws(StoreError) -> [(StoredReport, ReportIdentity)] {
        let numbers = try reportNumbers(filter)
        return try read { database in
            try numbers.compactMap { number in
                guard let report = try database.report(number), report.isKept,
                    let identity = report.identity(settings)
                else { return nil }
                return (report, identity)
            }
        }
    }
}

extension Database {
    /// Gives the rows of a report with their counts, always in the same order.
    fileprivate func rows(of report: Int64, _ body: (ReportRecord, Int) throws -> Void) throws {
        let sql = "SELECT record, count FROM report_row WHERE report = ? ORDER BY hash"
        let rows = try Row.fetchCursor(self, sql: sql, arguments: [report])
        while let row = try rows.next() {
            guard let record = try ReportRecord(octets: Array(row.decode(Data.self, atIndex: 0))) else {
                throw StoreError.damaged("a row of report \(report)")
            }
            try body(record, row.decode(atIndex: 1))
        }
    }
}
