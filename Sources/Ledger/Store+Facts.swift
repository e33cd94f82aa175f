internal import FoundationEssentials
internal import GRDB
public import MailSyntax

/// A message as rules see it.
public struct FactsRow: Sendable {
    /// The second in which the message ended.
    public let time: UnixTime
    /// The MTA's queue ID.
    public let queueID: String?
    /// What intake was given for the message: what rules ask about.
    public let facts: [UInt8]
}

extension Store {
    /// Gives the facts of the messages that meet a filter, the newest first.
    ///
    /// - Parameters:
    ///   - filter: which messages.
    ///   - body: called with each; returns whether it wants another.
    public func facts(_ filter: MessageFilter, _ body: (FactsRow) throws -> Bool) throws {
        try read { database in
            let search = try Search("m.id, m.queue, m.facts", filter, .newest, in: database)
            let rows = try Row.fetchCursor(database, sql: search.sql, arguments: search.arguments)
            while let row = try rows.next() {
                let facts = try row.withUnsafeData(atIndex: 2) { Array($0 ?? Data()) }
                let time = try MessageID.time(of: row.decode(atIndex: 0))
                guard try body(FactsRow(time: time, queueID: row.decode(atIndex: 1), facts: facts)) else { return }
            }
        }
    }
}
