internal import FoundationEssentials
internal import GRDB
public import MailSyntax
internal import PosternSetup

/// How many messages have each value of something.
public struct Tally: Sendable, Equatable {
    /// What is counted.
    public enum Subject: String, CaseIterable, Sendable {
        /// The domain of the first author.
        case author
        /// The client's address.
        case client
        /// The client's network: /24, or /64 of IPv6.
        case network
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
        /// What would have been done, had the rules been enforced.
        case would
        /// The rules that had a part in the verdict.
        case rule
        /// What was wrong, by check, without the names that were asked for.
        case problem
        /// The day, in UTC; the newest first.
        case day
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
    /// How many identifiers a day has.
    private static let idsOfDay = MessageID.perMillisecond * 86_400_000

    /// The octets of the client's network.
    private static let network = """
        CASE WHEN substr(m.client, 1, 12) = X'00000000000000000000FFFF' THEN substr(m.client, 1, 15) \
        ELSE substr(m.client, 1, 8) END
        """

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
        case .would: try tally(subject, tags: "would=", filter, limit: limit)
        case .problem: try tally(subject, tags: "problem=", filter, limit: limit)
        case .day: try tally(subject, "m.id / \(Self.idsOfDay)", filter, limit: limit, progress)
        case .network: try tally(subject, Self.network, filter, limit: limit, progress)
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
                if total % Self.stride == 0 { progress(total, try MessageID.time(of: row.decode(atIndex: 1))) }
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
            let groups = Dictionary(grouping: words) { subject.group(String($0.dropFirst(prefix.count))) }
            let entries = try groups.map { value, words in
                let search = try Search("count(*)", filter, also: .tags(words), .newest, in: database)
                let count = try Int.fetchOne(database, sql: search.sql, arguments: search.arguments) ?? 0
                return Tally.Entry(value: value, count: count)
            }
            let search = try Search("count(*)", filter, .newest, in: database)
            let total = try Int.fetchOne(database, sql: search.sql, arguments: search.arguments) ?? 0
            return Tally(subject, entries.filter { $0.count > 0 }, total: total, limit: limit)
        }
    }
}

extension Tally {
    fileprivate init(_ subject: Subject, _ entries: [Entry], total: Int, limit: Int) {
        let sorted = entries.sorted {
            subject == .day
                ? ($0.value ?? "") > ($1.value ?? "") : ($1.count, $0.value ?? "") < ($0.count, $1.value ?? "")
        }
        self.init(subject: subject, entries: Array(sorted.prefix(limit)), values: entries.count, total: total)
    }
}

extension Tally.Subject {
    /// The text of a column's value.
    fileprivate func text(_ value: DatabaseValue) -> String? {
        switch self {
        case .client: Data.fromDatabaseValue(value).flatMap { MessageRow.address(Array($0)) }?.description
        case .network: Data.fromDatabaseValue(value).flatMap { Self.network(Array($0)) }?.description
        case .sender, .recipient: String.fromDatabaseValue(value).map(AddressKey.address)
        case .day: Int64.fromDatabaseValue(value).map { Self.day(UnixTime($0 * 86_400)) }
        default: String.fromDatabaseValue(value)
        }
    }

    /// The network of the first octets of a key.
    private static func network(_ first: [UInt8]) -> IPNetwork? {
        let key = first + [UInt8](repeating: 0, count: max(0, 16 - first.count))
        return MessageRow.address(key).flatMap { IPNetwork($0, prefixLength: first.count == 15 ? 24 : 64) }
    }

    private static func day(_ time: UnixTime) -> String { String(UTCTime(time).description.prefix(10)) }

    /// The kind of a tag's text: problems differ in the names that were asked for.
    fileprivate func group(_ text: String) -> String {
        guard self == .problem else { return text }
        return text.split(separator: " ", omittingEmptySubsequences: false)
            .map { Self.isName($0) ? "NAME" : String($0) }
            .joined(separator: " ")
    }

    /// Whether a word is the name of a host: labels with dots between them, the last of letters.
    private static func isName(_ word: Substring) -> Bool {
        let labels = word.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count > 1 && (try? DomainName(String(word)))?.isHostName == true
            && labels.last?.utf8.contains(where: \.isAlpha) == true
    }
}
