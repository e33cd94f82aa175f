internal import AggregateReports
internal import FoundationEssentials
internal import GRDB
internal import MailCrypto
internal import MailSyntax

/// Counts messages of one policy on one day in the database, within bounds.
///
/// An owner who changes his record all day long, and a sender who makes each message another row, would otherwise fill
/// the store and the reports.
struct ReportCounter {
    /// How many policy configurations a domain has on a day; the messages of further ones are counted with the last.
    static let maximumPolicies = 10
    /// How many rows of a report tell everything.
    static let maximumWhole = maximumFolded - 500
    /// How many rows a report has before other messages are counted without a source.
    ///
    /// There are at most 512 rows without one: four dispositions, both alignments, and any of five reasons.
    static let maximumFolded = ReportBounds.rows - 512
    /// The most octets of a row that is kept whole.
    static let maximumRecord = 32 << 10
    /// The most octets of the rows that tell everything: random names of signatures can hardly be compressed, and as mail
    /// they stay below the 10 MB that mail servers usually take.
    static let maximumOctets = 4 << 20
    /// How many octets of a SHA-256 find a policy or a row.
    private static let hashLength = 16

    /// The number of a report, whether its rows are there, how many they are, and of how many octets.
    ///
    /// What is damaged is counted again: no message waits for a report.
    fileprivate static let columns = """
        id, kept = 1, iif(entries BETWEEN 0 AND 1 << 20, entries, (SELECT count(*) FROM report_row WHERE report = id)),
        iif(octets BETWEEN 0 AND 1 << 40, octets,
            (SELECT ifnull(sum(length(record)), 0) FROM report_row WHERE report = id))
        """

    private let database: Database
    private let insertRow: Statement
    private let policy: PolicyConfiguration
    private let report: Int64
    /// Whether the rows are there: in want of room, those of a day that is not over may have gone.
    private let isKept: Bool
    private var entries: Int
    private var folded = 0
    /// How many octets the rows have.
    private var size: Int

    /// Finds the report, or makes it, and counts its messages.
    init(_ database: Database, _ messages: ReportTally.Messages) throws {
        let (key, total) = (messages.key, messages.total)
        self.database = database
        insertRow = try database.cachedStatement(
            sql: """
                INSERT INTO report_row VALUES (?, ?, ?, ?)
                ON CONFLICT (report, hash) DO UPDATE SET count = count + excluded.count
                RETURNING CAST(count AS INTEGER)
                """
        )
        policy = key.policy
        let domain = key.policy.domain.description
        let octets = key.policy.octets
        let hash = Self.hash(octets)
        let find = try database.cachedStatement(
            sql: "SELECT \(Self.columns) FROM report WHERE domain = ? AND day = ? AND hash = ?"
        )
        let known = try Row.fetchOne(find, arguments: [domain, key.day, hash])
        let last = known == nil ? try database.lastPolicy(of: domain, on: key.day) : nil
        if let row = known ?? last {
            (report, isKept) = try (row.decode(atIndex: 0), row.decode(atIndex: 1))
            (entries, size) = try (row.decode(atIndex: 2), row.decode(atIndex: 3))
        } else {
            try database.cachedStatement(
                sql: "INSERT INTO report VALUES (NULL, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 1, ?, NULL, NULL)"
            ).execute(
                arguments: [
                    key.day, domain, messages.owner.description, hash, Data(octets), ReportState.open.rawValue,
                ]
            )
            (report, isKept, entries, size) = (database.lastInsertedRowID, true, 0, 0)
        }
        try database.cachedStatement(
            sql: "UPDATE report SET messages = messages + ?, causing = causing + ?, further = further + ? WHERE id = ?"
        ).execute(arguments: [total.messages, total.causing, last == nil ? 0 : total.messages, report])
    }

    /// Counts messages row by row.
    func count(_ rows: [(record: ReportRecord, messages: Int)]) throws {
        guard isKept else { return }
        var counter = self
        for row in rows { try counter.count(row.record, row.messages) }
        try database.cachedStatement(sql: "UPDATE report SET entries = ?, octets = ?, folded = folded + ? WHERE id = ?")
            .execute(arguments: [counter.entries, counter.size, counter.folded, report])
    }

    private mutating func count(_ record: ReportRecord, _ count: Int) throws {
        let octets = record.octets
        let isSmall = octets.count <= Self.maximumRecord && size + octets.count <= Self.maximumOctets
        if try add(octets, count, upTo: isSmall ? Self.maximumWhole : 0) { return }
        folded += count
        if try add(record.folded.octets, count, upTo: Self.maximumFolded) { return }
        _ = try add(record.rest(of: policy).octets, count, upTo: .max)
    }

    /// Counts messages in a row that is there, or in a new one where there is room; false where there is none.
    private mutating func add(_ octets: [UInt8], _ count: Int, upTo limit: Int) throws -> Bool {
        let hash = Self.hash(octets)
        guard entries < limit else {
            try database.cachedStatement(sql: "UPDATE report_row SET count = count + ? WHERE report = ? AND hash = ?")
                .execute(arguments: [count, report, hash])
            return database.changesCount > 0
        }
        // A row that was there counts more than what is added.
        guard try Int.fetchOne(insertRow, arguments: [report, hash, Data(octets), count]) == count else { return true }
        entries += 1
        size += octets.count
        return true
    }

    /// What finds a policy or a row.
    static func hash(_ octets: [UInt8]) -> Data {
        Data(unsafe octets.withUnsafeBytes { unsafe SHA256Hasher.digest($0) }.prefix(hashLength))
    }
}

extension Database {
    /// The last policy of a domain on a day, where it may have no further one.
    fileprivate func lastPolicy(of domain: String, on day: Int) throws -> Row? {
        let count = try Int.fetchOne(
            cachedStatement(sql: "SELECT count(*) FROM report WHERE domain = ? AND day = ?"),
            arguments: [domain, day]
        )
        guard count ?? 0 >= ReportCounter.maximumPolicies else { return nil }
        return try Row.fetchOne(
            self,
            sql: "SELECT \(ReportCounter.columns) FROM report WHERE domain = ? AND day = ? ORDER BY id DESC LIMIT 1",
            arguments: [domain, day]
        )
    }
}
