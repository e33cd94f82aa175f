internal import EventSpool
internal import GRDB
public import MailSyntax

/// Removes what is too old, and what has no room.
public struct Retention: Sendable {
    /// How many messages are removed in one transaction.
    static let step = 5000
    /// The room that intake needs before the next look, in octets: several segments and what they need beside.
    private static let headroom = 16 << 20
    /// The part of the store that reports to domain owners may take when it is full: a fourth.
    private static let reportShare = 4

    private let store: Store
    private let keep: Int64
    private let keepAnswers: Int64

    /// A retention.
    ///
    /// - Parameters:
    ///   - store: the store.
    ///   - keep: how long messages are kept.
    ///   - keepAnswers: how long their DNS answers are kept.
    public init(_ store: Store, keep: Duration, keepAnswers: Duration) {
        self.store = store
        self.keep = keep.components.seconds
        self.keepAnswers = keepAnswers.components.seconds
    }

    /// Removes messages and answers in small steps.
    ///
    /// - Parameters:
    ///   - now: the time.
    ///   - isStopped: asked between two steps.
    /// - Returns: how many messages are gone.
    @discardableResult
    public func apply(now: UnixTime, isStopped: () -> Bool = { false }) throws(StoreError) -> Int {
        var removed = 0
        removed += try removeOutdated(before: MessageID.first(of: now + -keep), isStopped)
        try removeAnswers(before: MessageID.first(of: now + -keepAnswers), isStopped)
        removed += try makeRoom(isStopped)
        try store.write { database in
            try database.execute(sql: "DELETE FROM batch WHERE taken < ?", arguments: [(now + -2 * keep).seconds])
            try database.execute(
                sql: "DELETE FROM word WHERE NOT EXISTS (SELECT 1 FROM tag WHERE tag.word = word.id)"
            )
        }
        try store.removeOldReports(now: now, keep: keep, isStopped)
        try shrink(isStopped)
        return removed
    }

    private func removeOutdated(before end: Int64, _ isStopped: () -> Bool) throws(StoreError) -> Int {
        var removed = 0
        while !isStopped() {
            let count = try store.write { try $0.removeOldest(Self.step, before: end) }
            removed += count
            guard count == Self.step else { break }
        }
        return removed
    }

    private func removeAnswers(before end: Int64, _ isStopped: () -> Bool) throws(StoreError) {
        let sql = "DELETE FROM answer WHERE id IN (SELECT id FROM answer WHERE id < ? ORDER BY id LIMIT ?)"
        while !isStopped() {
            let count = try store.write { database in
                try database.execute(sql: sql, arguments: [end, Self.step])
                return database.changesCount
            }
            guard count == Self.step else { return }
        }
    }

    /// Removes the oldest messages as long as the next segments have no room; returns how many are gone.
    @discardableResult
    func makeRoom(_ isStopped: () -> Bool = { false }) throws(StoreError) -> Int {
        guard let maximum = store.maximumOctets else { return 0 }
        if try store.read({ try $0.usedOctets() }) > maximum - Self.headroom {
            // Or what somebody sends to fill reports would drive out what is known of all mail.
            try store.makeRoomForOthers(leaving: maximum / Self.reportShare, isStopped)
        }
        var removed = 0
        while !isStopped() {
            let count = try store.write { database in
                try database.removeOldest(min(Self.step, database.surplus(over: maximum - Self.headroom)), before: .max)
            }
            removed += count
            if count == 0 { break }
        }
        return removed
    }

    /// Gives pages back where the file is greater than it may be, because the limit was lowered.
    private func shrink(_ isStopped: () -> Bool) throws(StoreError) {
        guard let maximum = store.maximumOctets else { return }
        while !isStopped(), try store.read({ try $0.fileOctets() }) > maximum {
            let before = try store.read { try $0.fileOctets() }
            try store.write { try $0.execute(sql: "PRAGMA incremental_vacuum(4096)") }
            guard try store.read({ try $0.fileOctets() }) < before else { return }
        }
    }
}

extension Database {
    private func pragma(_ name: String) throws -> Int { try Int.fetchOne(self, sql: "PRAGMA \(name)") ?? 0 }

    /// The size of the file when all is written to it.
    func fileOctets() throws -> Int { try pragma("page_count") * pragma("page_size") }

    /// The size of the pages that hold something.
    func usedOctets() throws -> Int {
        try (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")
    }

    /// How many messages have to go, about, so that the others take up that many octets.
    fileprivate func surplus(over octets: Int) throws -> Int {
        let used = try usedOctets()
        let messages = try value(of: .taken) &- value(of: .removed)
        guard used > octets, messages > 0 else { return 0 }
        return (used - octets) / (used / messages + 1) + 1
    }

    /// Removes up to `count` of the oldest messages, with all that belongs to them; returns how many.
    fileprivate func removeOldest(_ count: Int, before end: Int64) throws -> Int {
        let sql = "SELECT max(id) FROM (SELECT id FROM message WHERE id < ? ORDER BY id LIMIT ?)"
        guard let last = try Int64.fetchOne(self, sql: sql, arguments: [end, count]) else { return 0 }
        try execute(sql: "DELETE FROM message WHERE id <= ?", arguments: [last])
        let removed = changesCount
        for table in ["event", "answer"] { try execute(sql: "DELETE FROM \(table) WHERE id <= ?", arguments: [last]) }
        try execute(sql: "DELETE FROM recipient WHERE message <= ?", arguments: [last])
        // A word after the other, because the table has the messages of a word in the order of time.
        for word in try Int64.fetchAll(self, sql: "SELECT id FROM word") {
            try cachedStatement(sql: "DELETE FROM tag WHERE word = ? AND message <= ?").execute(arguments: [word, last])
        }
        try add(removed, to: .removed)
        return removed
    }
}
