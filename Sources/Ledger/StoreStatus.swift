public import EventSpool
internal import GRDB
public import MailSyntax

/// How the ledger is.
public struct StoreStatus: Sendable, Encodable, Equatable {
    /// Something that went wrong.
    public struct Trouble: Sendable, Encodable, Equatable {
        /// When, in seconds since 1970.
        public let time: Int64
        /// What.
        public let text: String
    }

    /// What waits in the spool.
    public struct Spool: Sendable, Encodable, Equatable {
        /// How many segments wait to be taken in.
        public let segments: Int
        /// The size of all segments, in octets.
        public let octets: Int
        /// The age of the oldest segment that waits, in seconds.
        public let lag: Int64
    }

    /// How many messages are stored.
    public let messages: Int
    /// How many have been taken in.
    public let taken: Int
    /// How many are gone again.
    public let removed: Int
    /// How many lines have been set aside.
    public let rejected: Int
    /// How many segments were too old to be taken in.
    public let outdated: Int
    /// The size of the store, in octets.
    public let octets: Int
    /// The size of what is in it.
    public let usedOctets: Int
    /// The time of the oldest message, in seconds since 1970; nil without messages.
    public let oldest: Int64?
    /// The time of the newest one.
    public let newest: Int64?
    /// How many days fit into the store at the present rate; nil where less than an hour is known.
    public let daysThatFit: Double?
    /// What waits in the spool; nil where it cannot be read.
    public let spool: Spool?
    /// How many reports to domain owners are in which state; nil where there are none.
    public let reports: [String: Int]?
    /// What went wrong last, the latest first.
    public let troubles: [Trouble]
}

extension Store {
    /// How the store is.
    ///
    /// - Parameters:
    ///   - spool: where events come from.
    ///   - maximumOctets: how large the store may become.
    ///   - now: the time.
    public func status(
        spool: SpoolDirectory,
        maximumOctets: Int,
        now: UnixTime
    ) throws(StoreError) -> StoreStatus {
        let waiting = try? spool.segments()
        return try read { database in
            let (taken, removed) = try (database.value(of: .taken), database.value(of: .removed))
            let oldest = try Int64.fetchOne(database, sql: "SELECT min(id) FROM message").map(MessageID.time)
            let newest = try Int64.fetchOne(database, sql: "SELECT max(id) FROM message").map(MessageID.time)
            let used = try database.usedOctets()
            return StoreStatus(
                messages: taken &- removed,
                taken: taken,
                removed: removed,
                rejected: try database.value(of: .rejected),
                outdated: try database.value(of: .outdated),
                octets: try database.fileOctets(),
                usedOctets: used,
                oldest: oldest?.seconds,
                newest: newest?.seconds,
                daysThatFit: Self.days(from: oldest, to: newest, used: used, maximum: maximumOctets),
                spool: waiting.map { StoreStatus.Spool($0, now: now) },
                reports: try database.reportDeliveries(),
                troubles: try database.troubles()
            )
        }
    }

    private static func days(from oldest: UnixTime?, to newest: UnixTime?, used: Int, maximum: Int) -> Double? {
        guard let oldest, let newest, used > 0 else { return nil }
        let span = newest - oldest
        guard span >= 3600 else { return nil }
        return (Double(maximum) / Double(used) * Double(span) / 8640).rounded() / 10
    }
}

extension StoreStatus.Spool {
    fileprivate init(_ segments: [Segment], now: UnixTime) {
        let closed = segments.filter { $0.state == .closed }
        self.init(
            segments: closed.count,
            octets: segments.reduce(0) { $0 + $1.octetCount },
            lag: closed.first.map { max(0, now.seconds - $0.modified) } ?? 0
        )
    }
}

extension Database {
    fileprivate func troubles() throws -> [StoreStatus.Trouble] {
        try Row.fetchAll(self, sql: "SELECT time, text FROM trouble ORDER BY id DESC").map {
            try StoreStatus.Trouble(time: $0.decode(atIndex: 0), text: $0.decode(atIndex: 1))
        }
    }
}
