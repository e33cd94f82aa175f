internal import FoundationEssentials
internal import GRDB
public import MailSyntax

/// How many messages have each value of something.
public struct Tally: Sendable, Equatable {
    /// What is counted.
    public enum Subject: String, CaseIterable, Sendable {
        /// The domain of the first author.
        case author
        /// The client's address.
        case client
        /// The client's verified name.
        case clientName = "client-name"
        /// The client's HELO name.
        case helo
        /// The envelope's sender.
        case sender
        /// The recipients.
        case recipient
        /// What was done.
        case action
        /// The rules that had a part in the verdict.
        case rule
        /// What was wrong, by check.
        case problem
    }

    /// A value and its messages.
    public struct Entry: Sendable, Equatable {
        /// The value; nil for messages without one.
        public let value: String?
        /// How many messages have it.
        public let count: Int
    }

    /// What is counted.
    public let subject: Subject
    /// The most frequent values.
    public let entries: [Entry]
    /// How many values there are.
    public let values: Int
    /// How many messages there are; for recipients, how many deliveries.
    public let total: Int
}

extension Store {
    /// How often the caller is told of progress, in messages.
    private static let stride = 8192

    /// Counts the values of something.
    ///
    /// - Parameters:
    ///   - subject: what.
    ///   - filter: of which messages.
    ///   - limit: how many values are wanted.
    ///   - progress: called now and then with the number of messages, and the time that has been reached.
    public func tally(
        _ subject: Tally.Subject,
        _ filter: MessageFilter,
        limit: Int,
        progress: (Int, UnixTime) -> Void = { _, _ in }
    ) throws(StoreError) -> Tally {
        switch subject {
        case .rule: try tally(subject, tags: "rule=", filter, limit: limit)
        case .problem: try tally(subject, tags: "problem=", filter, limit: limit)
        case .author: try tally(subject, "m.author", filter, limit: limit, progress)
        case .client: try tally(subject, "m.client", filter, limit: limit, progress)
        case .clientName: try tally(subject, "m.client_name", filter, limit: limit, progress)
        case .helo: try tally(subject, "m.helo", filter, limit: limit, progress)
        case .sender: try tally(subject, "m.sender", filter, limit: limit, progress)
        case .action: try tally(subject, "m.action", filter, limit: limit, progress)
        case .recipient:
            try tally(
                subject,
                "r.address",
                join: " JOIN recipient AS r ON r.message = m.id",
                filter,
                limit: limit,
                progress
            )
        }
    }

    private func tally(
        _ subject: Tally.Subject,
        _ column: String,
        join: String = "",
        _ filter: MessageFilter,
        limit: Int,
        _ progress: (Int, UnixTime) -> Void
    ) throws(StoreError) -> Tally {
        var counts: [DatabaseValue: Int] = [:]
        var total = 0
        try read { database in
            let search = try Search("\(column), m.id", join: join, filter, .oldest, in: database)
            let rows = try Row.fetchCursor(database, sql: search.sql, arguments: search.arguments)
            while let row = try rows.next() {
                counts[row[0] as DatabaseValue, default: 0] += 1
                total += 1
                if total % Self.stride == 0 { progress(total, MessageID.time(of: row[1])) }
            }
        }
        let entries = counts.map { Tally.Entry(value: subject.text($0.key), count: $0.value) }
        return Tally(subject, entries, total: total, limit: limit)
    }

    /// Counts the messages of each tag of a kind.
    private func tally(
        _ subject: Tally.Subject,
        tags prefix: String,
        _ filter: MessageFilter,
        limit: Int
    ) throws(StoreError) -> Tally {
        try read { database in
            let words = try String.fetchAll(
                database,
                sql: "SELECT text FROM word WHERE text >= ? AND text < ?",
                arguments: [prefix, prefix.dropLast() + ">"]
            )
            let entries = try words.map { word in
                let search = try Search("count(*)", filter, also: .tag(word), .newest, in: database)
                let count = try Int.fetchOne(database, sql: search.sql, arguments: search.arguments) ?? 0
                return Tally.Entry(value: String(word.dropFirst(prefix.count)), count: count)
            }
            let search = try Search("count(*)", filter, .newest, in: database)
            let total = try Int.fetchOne(database, sql: search.sql, arguments: search.arguments) ?? 0
            return Tally(subject, entries.filter { $0.count > 0 }, total: total, limit: limit)
        }
    }
}

extension Tally {
    fileprivate init(_ subject: Subject, _ entries: [Entry], total: Int, limit: Int) {
        let sorted = entries.sorted { ($1.count, $0.value ?? "") < ($0.count, $1.value ?? "") }
        self.init(subject: subject, entries: Array(sorted.prefix(limit)), values: entries.count, total: total)
    }
}

extension Tally.Subject {
    /// The text of a column's value.
    fileprivate func text(_ value: DatabaseValue) -> String? {
        switch self {
        case .client: (Data.fromDatabaseValue(value)).flatMap { MessageRow.address(Array($0)) }?.description
        case .sender, .recipient: String.fromDatabaseValue(value).map(AddressKey.address)
        default: String.fromDatabaseValue(value)
        }
    }
}
