internal import EventSpool
internal import GRDB
internal import Glibc

extension Database {
    /// A number that the store counts.
    enum Counter: String, CaseIterable {
        /// Messages that were taken in.
        case taken
        /// Messages that are gone by age, for want of room, or because somebody wanted them forgotten.
        case removed
        /// Lines that were set aside.
        case rejected
        /// Segments that were older than messages are kept.
        case outdated
    }

    /// The value of a counter.
    func value(of counter: Counter) throws -> Int {
        try Int.fetchOne(self, sql: "SELECT value FROM counter WHERE name = ?", arguments: [counter.rawValue]) ?? 0
    }

    /// Raises a counter.
    func add(_ number: Int, to counter: Counter) throws {
        guard number > 0 else { return }
        try execute(
            sql: "INSERT INTO counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            arguments: [counter.rawValue, number]
        )
    }

    /// Whether a segment has been taken in.
    func hasBatch(_ name: SegmentName) throws -> Bool {
        let sql = "SELECT 1 FROM batch WHERE host = ? AND boot = ? AND sequence = ?"
        return try Int.fetchOne(self, sql: sql, arguments: [name.host, name.boot, name.sequence]) != nil
    }

    /// Remembers that a segment has been taken in.
    func insertBatch(_ name: SegmentName, messages: Int, rejected: Int) throws {
        try execute(
            sql: "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [name.host, name.boot, name.sequence, Int64(time(nil)), messages, rejected]
        )
        try add(messages, to: .taken)
        try add(rejected, to: .rejected)
    }

    /// How many troubles are remembered.
    private static var maximumTroubles: Int { 20 }

    /// Remembers what went wrong, unless that is remembered already.
    func noteOnce(_ trouble: String) throws {
        let find = "SELECT 1 FROM trouble WHERE text = ?"
        if try Int.fetchOne(self, sql: find, arguments: [trouble]) == nil { try note(trouble) }
    }

    /// Remembers what went wrong, for `ledger status`.
    func note(_ trouble: String) throws {
        try execute(sql: "INSERT INTO trouble (time, text) VALUES (?, ?)", arguments: [Int64(time(nil)), trouble])
        try execute(
            sql: "DELETE FROM trouble WHERE id <= (SELECT max(id) FROM trouble) - ?",
            arguments: [Self.maximumTroubles]
        )
    }
}
