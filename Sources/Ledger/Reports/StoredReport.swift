internal import AggregateReports
internal import FoundationEssentials
internal import GRDB
internal import MailSyntax

/// A report as the store has it.
struct StoredReport {
    let id: Int64
    /// The day in days since 1970.
    let day: Int
    /// The policy domain.
    let domain: String
    /// The organization that has the domain.
    let owner: String
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

    /// The numbers that a count may be: another one is damage.
    private static let validCounts = 0...1 << 40

    /// A row of the table, with all its columns.
    ///
    /// - Throws: an error about the row where it cannot be what was written.
    init(_ row: Row) throws {
        id = try row.decode(forColumn: "id")
        day = try row.decode(forColumn: "day")
        domain = try row.decode(forColumn: "domain")
        owner = try row.decode(forColumn: "owner")
        messages = try row.decode(forColumn: "messages")
        causing = try row.decode(forColumn: "causing")
        entries = try row.decode(forColumn: "entries")
        folded = try row.decode(forColumn: "folded")
        further = try row.decode(forColumn: "further")
        isKept = try row.decode(forColumn: "kept")
        organization = try row.decode(forColumn: "organization")
        address = try row.decode(forColumn: "address")
        let octets = try Array(row.decode(Data.self, forColumn: "policy"))
        guard let policy = PolicyConfiguration(octets: octets), policy.domain.description == domain,
            try ReportCounter.hash(octets) == row.decode(Data.self, forColumn: "hash")
        else { throw StoreError.damaged("the policy of report \(id)") }
        guard ReportDay.valid.contains(day),
            [messages, causing, entries, folded, further].allSatisfy(Self.validCounts.contains)
        else { throw StoreError.damaged("the numbers of report \(id)") }
        guard let state = try ReportState(rawValue: row.decode(forColumn: "state")) else {
            throw StoreError.damaged("the state of report \(id)")
        }
        self.policy = policy
        self.state = state
    }
}
