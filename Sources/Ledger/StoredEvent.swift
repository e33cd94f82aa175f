internal import FoundationEssentials
internal import GRDB
public import MailEvents
public import MailSyntax

/// An event from the store.
public struct StoredEvent: Sendable {
    /// Its JSON, with the DNS answers where they are still kept.
    public let json: [UInt8]
    /// The same, read.
    public let event: MailEvent
    /// The second in which the message ended.
    public let time: UnixTime
}

extension Store {
    /// How many events are read in one transaction: a reader that is slow must not hold the writer's log.
    private static let page = 500

    /// Gives the events of the messages that meet a filter, the newest first.
    ///
    /// - Parameters:
    ///   - filter: which messages.
    ///   - limit: at most how many; nil for all.
    ///   - body: called with each; returns whether it wants another.
    public func events(
        _ filter: MessageFilter,
        limit: Int?,
        _ body: (StoredEvent) throws -> Bool
    ) throws {
        var rest = try identifiers(filter, .newest, limit: limit)[...]
        while !rest.isEmpty {
            let page = rest.prefix(Self.page)
            rest = rest.dropFirst(Self.page)
            for event in try read({ try $0.events(page) }) where try !body(event) { return }
        }
    }

    /// The identifiers of the messages that meet a filter.
    func identifiers(_ filter: MessageFilter, _ order: Search.Order, limit: Int?) throws(StoreError) -> [Int64] {
        try read { database in
            let search = try Search("m.id", filter, order, limit: limit, in: database)
            return try Int64.fetchAll(database, sql: search.sql, arguments: search.arguments)
        }
    }
}

extension Database {
    /// The events with these identifiers; those that are gone are left out.
    fileprivate func events(_ identifiers: some Sequence<Int64>) throws -> [StoredEvent] {
        let statement = try cachedStatement(
            sql: "SELECT e.json, a.json FROM event AS e LEFT JOIN answer AS a ON a.id = e.id WHERE e.id = ?"
        )
        return try identifiers.compactMap { id in
            guard let row = try Row.fetchOne(statement, arguments: [id]) else { return nil }
            let json = try Array(row.decode(Data.self, atIndex: 0))
            let answers = try row.decode(Data?.self, atIndex: 1)
            let whole = answers.map { EventJSON.join(json[...], Array($0)[...]) } ?? json
            guard case .success(let event) = EventLine.read(whole[...]) else { return nil }
            return StoredEvent(json: whole, event: event, time: MessageID.time(of: id))
        }
    }
}
