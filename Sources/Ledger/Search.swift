internal import GRDB
internal import MailSyntax

/// A question for messages, as SQL with its values.
struct Search {
    /// The order of the messages.
    enum Order: String {
        /// The newest first.
        case newest = "DESC"
        /// The oldest first.
        case oldest = "ASC"
    }

    /// How many entries of an index are counted to see which index has the fewest.
    static let probes = 20_000

    let sql: String
    let arguments: StatementArguments

    /// A question for the columns of the messages that meet a filter.
    ///
    /// The search goes by the index that has the fewest entries, and looks at the other conditions for each message.
    ///
    /// - Parameters:
    ///   - columns: the columns, of `m` or of the tables in `join`.
    ///   - join: further tables.
    ///   - filter: which messages.
    ///   - further: one more condition.
    ///   - order: in which order.
    ///   - limit: at most how many; nil for all.
    ///   - probes: how many entries of an index are counted.
    ///   - database: where it will be asked.
    init(
        _ columns: String,
        join: String = "",
        _ filter: MessageFilter,
        also further: Condition? = nil,
        _ order: Order,
        limit: Int? = nil,
        probes: Int = Self.probes,
        in database: Database
    ) throws {
        var conditions = filter.conditions + [further].compactMap { $0 }
        let driver = try Self.driver(conditions, hasLimit: limit != nil, probes: probes, in: database)
        let chosen = driver.map { conditions.remove(at: $0) }
        let id = chosen?.path?.id ?? "m.id"
        var terms = [String]()
        var values = [(any DatabaseValueConvertible)?]()
        if let chosen {
            terms.append(chosen.path?.term ?? chosen.term)
            values += chosen.values
        }
        if let since = filter.since {
            terms.append("\(id) >= ?")
            values.append(MessageID.first(of: since))
        }
        if let until = filter.until {
            terms.append("\(id) < ?")
            values.append(MessageID.first(of: until))
        }
        for condition in conditions {
            terms.append(condition.term)
            values += condition.values
        }
        // SQLite would take an index for another condition.
        let tables = chosen?.path?.tables ?? "message AS m NOT INDEXED"
        let place = terms.isEmpty ? "" : " WHERE " + terms.joined(separator: " AND ")
        let bound = limit.map { " LIMIT \($0)" } ?? ""
        sql = "SELECT \(columns) FROM \(tables)\(join)\(place) ORDER BY \(id) \(order.rawValue)\(bound)"
        arguments = StatementArguments(values)
    }

    /// The place of the condition whose index has the fewest entries; nil when none has an index.
    ///
    /// Where a few messages are wanted, and even that index has many entries that would have to be sorted, looking at all
    /// messages in the order of time finds them sooner.
    private static func driver(
        _ conditions: [Condition],
        hasLimit: Bool,
        probes: Int,
        in database: Database
    ) throws -> Int? {
        var best: (place: Int, count: Int, isOrdered: Bool)?
        let indexed = conditions.indices.filter { conditions[$0].path != nil }
        for place in indexed {
            guard let path = conditions[place].path else { continue }
            // One that is alone and in order is taken in any case.
            if indexed.count == 1, path.isOrdered { return place }
            let sql = "SELECT count(*) FROM (\(path.entries) LIMIT \(probes))"
            let values = StatementArguments(conditions[place].values)
            let count = try Int.fetchOne(database, sql: sql, arguments: values) ?? 0
            if count < best?.count ?? .max || (count == best?.count && path.isOrdered && best?.isOrdered == false) {
                best = (place, count, path.isOrdered)
            }
        }
        guard let best, best.isOrdered || !hasLimit || best.count < probes else { return nil }
        return best.place
    }
}
