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

/// A message of a list.
public struct StoredSummary: Sendable {
    /// Its JSON, with the DNS answers where they are wanted and still kept.
    public let json: [UInt8]
    /// What is shown of it.
    public let summary: EventSummary
    /// The second in which it ended.
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
        try lines(filter, limit: limit, hasAnswers: true) { json, time in
            guard case .success(let event) = EventLine.read(json[...]) else { return true }
            return try body(StoredEvent(json: json, event: event, time: time))
        }
    }

    /// Gives what a list shows of the messages that meet a filter, the newest first.
    ///
    /// - Parameters:
    ///   - filter: which messages.
    ///   - limit: at most how many; nil for all.
    ///   - hasAnswers: whether the JSON has the DNS answers.
    ///   - body: called with each; returns whether it wants another.
    public func summaries(
        _ filter: MessageFilter,
        limit: Int?,
        hasAnswers: Bool,
        _ body: (StoredSummary) throws -> Bool
    ) throws {
        try lines(filter, limit: limit, hasAnswers: hasAnswers) { json, time in
            guard let summary = try? EventSummary(line: json[...]) else { return true }
            return try body(StoredSummary(json: json, summary: summary, time: time))
        }
    }

    /// Gives the JSON of the messages that meet a filter, with their times.
    private func lines(
        _ filter: MessageFilter,
        limit: Int?,
        hasAnswers: Bool,
        _ body: ([UInt8], UnixTime) throws -> Bool
    ) throws {
        var rest = try identifiers(filter, .newest, limit: limit)[...]
        while !rest.isEmpty {
            let page = rest.prefix(Self.page)
            rest = rest.dropFirst(Self.page)
            let lines = try read { try $0.lines(page, hasAnswers: hasAnswers) }
            for (json, time) in lines where try !body(json, time) { return }
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
    /// The JSON and the times of the events with these identifiers; those that are gone are left out.
    fileprivate func lines(
        _ identifiers: some Sequence<Int64>,
        hasAnswers: Bool
    ) throws -> [(json: [UInt8], time: UnixTime)] {
        let (column, join) = hasAnswers ? ("a.json", " LEFT JOIN answer AS a ON a.id = e.id") : ("NULL", "")
        let statement = try cachedStatement(sql: "SELECT e.json, \(column) FROM event AS e\(join) WHERE e.id = ?")
        return try identifiers.compactMap { id in
            guard let row = try Row.fetchOne(statement, arguments: [id]) else { return nil }
            let json = try Array(row.decode(Data.self, atIndex: 0))
            let answers = try row.decode(Data?.self, atIndex: 1)
            let whole = answers.map { EventJSON.join(json[...], Array($0)[...]) } ?? json
            return (whole, MessageID.time(of: id))
        }
    }
}
