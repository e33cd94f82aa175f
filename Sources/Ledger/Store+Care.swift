internal import GRDB
internal import Glibc
internal import MailSyntax

extension Store {
    /// What is not as it must be; nothing when all is well.
    public func check() throws(StoreError) -> [String] {
        try read { database in
            var problems = try String.fetchAll(database, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
            problems += try database.missing.map { "there is no \($0)" }
            func compare(_ what: String, _ sql: String, with expected: Int) throws {
                let found = try Int.fetchOne(database, sql: sql) ?? 0
                if found != expected { problems.append("\(what): \(found) instead of \(expected)") }
            }
            let (taken, removed) = try (database.value(of: .taken), database.value(of: .removed))
            try compare("messages", "SELECT count(*) FROM message", with: taken &- removed)
            try compare("events", "SELECT count(*) FROM event", with: taken &- removed)
            try compare(
                "recipients without a message",
                "SELECT count(*) FROM recipient WHERE message NOT IN (SELECT id FROM message)",
                with: 0
            )
            if try database.hasReports { problems += try database.reportProblems() }
            return problems
        }
    }

    /// How many messages are stored.
    public func messageCount() throws(StoreError) -> Int {
        try read { try $0.value(of: .taken) &- $0.value(of: .removed) }
    }

    /// The messages that an address, or an address at a domain, is in, and those of authors at the domain.
    ///
    /// The domain may be written in A-labels or in U-labels, here and in the messages.
    public func messages(mentioning address: MessageFilter.Address) throws(StoreError) -> [Int64] {
        var found = Set(try read { try $0.messages(withAnySpellingOf: address) })
        for spelling in address.spellings {
            for filter in Self.filters(of: spelling) {
                found.formUnion(try identifiers(filter, .oldest, limit: nil))
            }
            if let mention = Mention(spelling) { found.formUnion(try read { try mention.messages(in: $0) }) }
        }
        return found.sorted()
    }

    /// Removes messages, with all that is known of them; returns how many.
    ///
    /// What they took in the file is overwritten; `clearLog` does that with the log.
    ///
    /// - Parameter messages: which messages.
    @discardableResult
    public func forget(_ messages: [Int64]) throws(StoreError) -> Int {
        var (removed, rest) = (0, messages[...])
        while !rest.isEmpty {
            let step = Array(rest.prefix(Retention.step))
            rest = rest.dropFirst(Retention.step)
            removed += try write { try $0.remove(step) }
        }
        try write { try $0.execute(sql: "DELETE FROM word WHERE id NOT IN (SELECT word FROM tag)") }
        return removed
    }

    /// Brings what is in the log into the file and empties the log; false while somebody who reads still needs the log.
    public func clearLog() throws(StoreError) -> Bool {
        do {
            // The first column says whether the log was needed.
            let busy = try database.inDatabase { try Int.fetchOne($0, sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
            return busy == 0
        } catch {
            throw StoreError(error)
        }
    }

    private static func filters(of address: MessageFilter.Address) -> [MessageFilter] {
        var sender = MessageFilter()
        sender.sender = address
        var recipient = MessageFilter()
        recipient.recipient = address
        guard case .domain(let domain) = address, let name = try? MessageFilter.Domain(domain) else {
            return [sender, recipient]
        }
        var author = MessageFilter()
        author.author = name
        return [sender, recipient, author]
    }

    /// Copies the store, as it is at one moment, to a file that is new, or empty.
    public func backup(to path: String) throws(StoreError) {
        do {
            try database.inDatabase { try $0.execute(sql: "VACUUM INTO ?", arguments: [path]) }
        } catch {
            throw StoreError(error)
        }
    }
}

extension Database {
    /// The tables and indexes that a store of this version has, and this one has not.
    fileprivate var missing: [String] {
        get throws {
            let names = "SELECT type || ' ' || name FROM sqlite_master WHERE type IN ('table', 'index') ORDER BY rowid"
            let version = try Int.fetchOne(self, sql: "SELECT version FROM schema") ?? 0
            let whole = try DatabaseQueue().write { model in
                for statements in Schema.migrations.prefix(max(0, version)) { try model.execute(sql: statements) }
                return try String.fetchAll(model, sql: names)
            }
            let known = Set(try String.fetchAll(self, sql: names))
            return whole.filter { !known.contains($0) }
        }
    }

    /// Removes messages, and returns how many of them were still there.
    fileprivate func remove(_ identifiers: [Int64]) throws -> Int {
        // SQLite reads a list of any length from a JSON array.
        let list = "[\(identifiers.map(String.init).joined(separator: ","))]"
        let found = "IN (SELECT value FROM json_each(?))"
        try execute(sql: "DELETE FROM message WHERE id \(found)", arguments: [list])
        let count = changesCount
        for table in ["event", "answer"] {
            try execute(sql: "DELETE FROM \(table) WHERE id \(found)", arguments: [list])
        }
        try execute(sql: "DELETE FROM recipient WHERE message \(found)", arguments: [list])
        try execute(
            sql: "DELETE FROM tag WHERE word IN (SELECT id FROM word) AND message \(found)",
            arguments: [list]
        )
        try add(count, to: .removed)
        return count
    }
}
