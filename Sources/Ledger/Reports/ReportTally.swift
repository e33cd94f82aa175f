internal import AggregateReports
internal import GRDB
public import MailEvents
public import MailSyntax
internal import PosternSetup

/// What is counted for domain owners while a segment is taken in.
///
/// Everything is held until the end of the segment, so that a policy and a source cost the database little, however
/// many messages they have.
public struct ReportTally {
    /// Messages that are alike.
    struct Count {
        var messages = 0
        /// Those of them that may cause a report.
        var causing = 0
    }

    /// The messages of a policy on a day, by what is told of them, in the order in which they came.
    struct Messages {
        let key: Key
        /// The organization that has the policy domain.
        let owner: DomainName
        private(set) var rows: [(record: ReportRecord, messages: Int)] = []
        private(set) var total = Count()
        private var places: [ReportRecord: Int] = [:]

        init(_ key: Key, of owner: DomainName) {
            self.key = key
            self.owner = owner
        }

        mutating func add(_ record: ReportRecord, mayCause: Bool) {
            total.add(mayCause: mayCause)
            if let place = places[record] {
                rows[place].messages += 1
            } else {
                places[record] = rows.count
                rows.append((record, 1))
            }
        }
    }

    /// A report to be.
    struct Key: Hashable {
        let day: Int
        let policy: PolicyConfiguration
    }

    /// The time of the newest event of each host.
    private(set) var hosts: [String: UnixTime] = [:]
    /// When a message of a policy domain last passed DMARC.
    private(set) var passes: [DomainName: UnixTime] = [:]
    /// The reports to be, in the order in which they came.
    private(set) var messages: [Messages] = []
    private var places: [Key: Int] = [:]
    private let reportAddress: String
    private let now: UnixTime
    private let registrable: (DomainName) -> DomainName?

    /// An empty tally.
    ///
    /// - Parameters:
    ///   - reportAddress: our own address for reports.
    ///   - now: the time.
    ///   - registrable: the name that the owner of a domain has registered; nil where it is not known.
    public init(
        reportAddress: String,
        now: UnixTime,
        registrable: @escaping (DomainName) -> DomainName? = { _ in nil }
    ) {
        self.reportAddress = reportAddress
        self.now = now
        self.registrable = registrable
    }

    /// Counts a message.
    public mutating func add(_ event: MailEvent) {
        // A host whose clock is ahead would close days that are not over.
        let time = min(UnixTime(Int64(event.time)), now)
        hosts[event.host] = max(hosts[event.host] ?? time, time)
        guard let message = ObservedMessage(event, reportAddress: reportAddress) else { return }
        if message.passed {
            let domain = message.policy.domain
            passes[domain] = max(passes[domain] ?? time, time)
        }
        messages[place(of: message)].add(message.record, mayCause: message.mayCause)
    }

    /// Where the messages of a report are.
    private mutating func place(of message: ObservedMessage) -> Int {
        let key = Key(day: message.day, policy: message.policy)
        if let place = places[key] { return place }
        places[key] = messages.count
        messages.append(Messages(key, of: owner(of: message)))
        return messages.count - 1
    }

    /// The organization that has the policy domain.
    ///
    /// The public suffix list comes first: by `psd=` in its records, an owner can make each of its domains one of its own.
    private func owner(of message: ObservedMessage) -> DomainName {
        let domain = message.policy.domain
        if let registrable = registrable(domain) { return registrable }
        // The record of a public suffix is about domains of many owners.
        guard let organizational = message.organizational, domain.isEqualOrSubdomain(of: organizational) else {
            return domain
        }
        return organizational
    }

    /// Writes what was counted, in the transaction of the segment.
    func write(to database: Database) throws {
        try writeHosts(database)
        try database.markFirst(.counting, now)
        let closed = try database.lastClosedDay()
        let days = ReportDay.first(at: now)...ReportDay.last(at: now)
        var counted: [Int: Int] = [:]
        for messages in messages {
            let day = messages.key.day
            if days.contains(day), day > closed {
                try ReportCounter(database, messages).count(messages.rows)
                counted[day, default: 0] += messages.total.messages
            } else {
                try database.add(late: messages.total.messages, on: day)
            }
        }
        for (day, number) in counted { try database.add(counted: number, on: day) }
    }

    private func writeHosts(_ database: Database) throws {
        for (host, newest) in hosts {
            try database.execute(
                sql: """
                    INSERT INTO report_host VALUES (?, ?)
                    ON CONFLICT (host) DO UPDATE
                    SET newest = iif(newest BETWEEN 0 AND ?, max(newest, excluded.newest), excluded.newest)
                    """,
                arguments: [ExactText.storable(host), newest.seconds, now.seconds]
            )
        }
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO report_gate VALUES (?, ?)
                ON CONFLICT (domain) DO UPDATE SET passed = excluded.passed
                WHERE passed NOT BETWEEN excluded.passed AND ?
                """
        )
        let end = ReportDay.validSeconds.upperBound
        for (domain, time) in passes { try statement.execute(arguments: [domain.description, time.seconds, end]) }
    }
}

extension ReportTally.Count {
    fileprivate mutating func add(mayCause: Bool) {
        messages += 1
        if mayCause { causing += 1 }
    }
}
