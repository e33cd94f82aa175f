internal import AggregateReports
internal import FoundationEssentials
internal import GRDB

/// A report as the store has it.
struct StoredReport {
    let id: Int64
    /// The day in days since 1970.
    let day: Int
    /// The policy domain.
    let domain: String
    let policy: PolicyConfiguration
    /// How many messages it counts.
    let messages: Int
    /// How many of them may cause a report.
    let causing: Int
    /// How many rows it has.
    let entries: Int
    /// How many messages are counted in rows that do not tell everything.
    let folded: Int
    /// How many messages of further policies of the day are counted in it.
    let further: Int
    /// Whether its rows are still there.
    let isKept: Bool
    let state: ReportState
    /// The name and the address that it was planned with; nil before.
    let organization, address: String?

    /// A row of the table, with all its columns.
    init(_ row: Row) throws {
        id = try row.decode(forColumn: "id")
        day = try row.decode(forColumn: "day")
        domain = try row.decode(forColumn: "domain")
        messages = try row.decode(forColumn: "messages")
        causing = try row.decode(forColumn: "causing")
        entries = try row.decode(forColumn: "entries")
        folded = try row.decode(forColumn: "folded")
        further = try row.decode(forColumn: "further")
        isKept = try row.decode(forColumn: "kept")
        organization = try row.decode(forColumn: "organization")
        address = try row.decode(forColumn: "address")
        guard let policy = try PolicyConfiguration(octets: Array(row.decode(Data.self, forColumn: "policy"))) else {
            throw StoreError.damaged("the policy of report \(id)")
        }
        guard let state = try ReportState(rawValue: row.decode(forColumn: "state")) else {
            throw StoreError.damaged("the state of report \(id)")
        }
        self.policy = policy
        self.state = state
    }
}
