internal import FoundationEssentials
internal import GRDB
internal import MailEvents
internal import MailSyntax

/// Writes events in one transaction.
struct MessageWriter {
    private let database: Database
    private let facts: (MailEvent) -> [UInt8]
    private let insertMessage: Statement
    private let insertEvent: Statement
    private let insertAnswer: Statement
    private let insertRecipient: Statement
    private let insertTag: Statement
    /// The words that this transaction has met.
    private var words: [ExactText: Int64] = [:]
    /// The greatest identifier in the store.
    private var last: Int64

    init(_ database: Database, facts: @escaping (MailEvent) -> [UInt8]) throws {
        self.database = database
        self.facts = facts
        // A statement that has failed gives its error once more when it is next used: none is kept.
        insertMessage = try database.makeStatement(
            sql: "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        insertEvent = try database.makeStatement(sql: "INSERT INTO event VALUES (?, ?)")
        insertAnswer = try database.makeStatement(sql: "INSERT INTO answer VALUES (?, ?)")
        insertRecipient = try database.makeStatement(sql: "INSERT INTO recipient VALUES (?, ?)")
        insertTag = try database.makeStatement(sql: "INSERT INTO tag VALUES (?, ?)")
        last = try Int64.fetchOne(database, sql: "SELECT max(id) FROM message") ?? 0
    }

    /// Writes the event of a line.
    ///
    /// - Parameters:
    ///   - event: the event.
    ///   - line: its JSON.
    mutating func write(_ event: MailEvent, _ line: Octets) throws {
        let id = try identifier(from: MessageID.first(ofTime: event.time) ?? 0)
        let row = MessageRow(event)
        try insertMessage.execute(arguments: StatementArguments([id] + row.columns + [Data(facts(event))]))
        let (json, answers) = event.dns.answers == nil ? (Array(line), nil) : EventJSON.split(line)
        try insertEvent.execute(arguments: [id, Data(json)])
        if let answers { try insertAnswer.execute(arguments: [id, Data(answers)]) }
        for address in row.recipients { try insertRecipient.execute(arguments: [id, address.text]) }
        for tag in row.tags { try insertTag.execute(arguments: [word(tag), id]) }
    }

    /// Writes the event of a line, or nothing of it where the database refuses it: the reason then.
    mutating func problem(ofWriting event: MailEvent, _ line: Octets) throws -> LineProblem? {
        var attempt = self
        do {
            try database.inSavepoint {
                try attempt.write(event, line)
                return .commit
            }
            // What the attempt has met is there now.
            self = attempt
            return nil
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            self = try MessageWriter(database, facts: facts)
            return .refused(error.message ?? "\(error.resultCode)")
        }
    }

    /// The first free identifier from this one on.
    private mutating func identifier(from first: Int64) throws -> Int64 {
        if first > last {
            last = first
            return first
        }
        // The taken ones of a millisecond are without a gap, unless messages of it have been forgotten.
        var id = first
        let statement = try database.cachedStatement(sql: "SELECT max(id) FROM message WHERE id >= ? AND id < ?")
        while let taken = try Int64.fetchOne(statement, arguments: [id, id + MessageID.perMillisecond]) {
            id = taken + 1
        }
        last = max(last, id)
        return id
    }

    /// The number of a word.
    private mutating func word(_ word: ExactText) throws -> Int64 {
        if let id = words[word] { return id }
        let find = try database.cachedStatement(sql: "SELECT id FROM word WHERE text = ?")
        if let id = try Int64.fetchOne(find, arguments: [word.text]) {
            words[word] = id
            return id
        }
        try database.execute(sql: "INSERT INTO word (text) VALUES (?)", arguments: [word.text])
        words[word] = database.lastInsertedRowID
        return database.lastInsertedRowID
    }
}
