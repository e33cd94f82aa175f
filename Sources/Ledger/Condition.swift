internal import FoundationEssentials
internal import GRDB
internal import MailSyntax
internal import Policy

/// One condition on messages, in SQL.
struct Condition {
    /// An index that gives the messages for which the condition holds, in the order of time where it asks for one value.
    struct Path {
        /// Tables, of which `message AS m` is one.
        var tables: String
        /// The term on the index's columns.
        var term: String
        /// The column with the message's identifier.
        var id: String
        /// Whether the messages come in the order of time, because the term asks for one value.
        var isOrdered = true
        /// A query that gives a row for each entry of the index that is visited, for counting them.
        var entries: String
    }

    /// What holds for a row `m` of `message`.
    var term: String
    /// The values in `term`, and in the terms of `path`.
    var values: [(any DatabaseValueConvertible)?]
    /// The way by an index; nil when all messages have to be looked at.
    var path: Path?

    /// A condition on an indexed column of `message`.
    static func column(_ name: String, _ comparison: String, _ values: [(any DatabaseValueConvertible)?]) -> Condition {
        let index = "message AS m INDEXED BY message_\(name)"
        let path = Path(
            tables: index,
            term: "m.\(name) \(comparison)",
            id: "m.id",
            isOrdered: values.count == 1,
            entries: "SELECT 1 FROM \(index) WHERE m.\(name) \(comparison)"
        )
        return Condition(term: "m.\(name) \(comparison)", values: values, path: path)
    }

    /// A condition on the table `tag`.
    static func tag(_ text: String) -> Condition {
        let word = "(SELECT id FROM word WHERE text = ?)"
        let path = Path(
            tables: "tag AS d CROSS JOIN message AS m ON m.id = d.message",
            term: "d.word = \(word)",
            id: "d.message",
            entries: "SELECT 1 FROM tag AS d WHERE d.word = \(word)"
        )
        return Condition(
            term: "EXISTS (SELECT 1 FROM tag WHERE word = \(word) AND message = m.id)",
            values: [text],
            path: path
        )
    }

    /// A condition on the table `tag`: one of several texts.
    static func tags(_ texts: [String]) -> Condition {
        guard texts.count > 1 else { return .tag(texts.first ?? "") }
        let values = texts.map { _ in "?" }.joined(separator: ", ")
        let words = "(SELECT id FROM word WHERE text IN (\(values)))"
        let entries = "SELECT message FROM tag WHERE word IN \(words)"
        // A message may have several of them.
        let path = Path(
            tables: "message AS m",
            term: "m.id IN (\(entries))",
            id: "m.id",
            isOrdered: false,
            entries: entries
        )
        return Condition(
            term: "EXISTS (SELECT 1 FROM tag WHERE word IN \(words) AND message = m.id)",
            values: texts,
            path: path
        )
    }
}

extension MessageFilter {
    /// The conditions other than those on time.
    var conditions: [Condition] {
        var conditions = [Condition]()
        if let queueID { conditions.append(.column("queue", "= ?", [queueID])) }
        if let recipient { conditions.append(.recipient(recipient)) }
        if let sender { conditions.append(.sender(sender)) }
        if let client { conditions.append(.client(client)) }
        if let author { conditions.append(.author(author)) }
        if let clientName { conditions.append(.host("client_name", clientName)) }
        if let helo { conditions.append(.host("helo", helo)) }
        if let rule { conditions.append(.tag(Tag.rule(rule))) }
        if let would { conditions.append(.tag(Tag.would(would))) }
        if let action {
            // Nearly every message is accepted: no index has that.
            conditions.append(
                action == "accept"
                    ? Condition(term: "m.action = ?", values: [action]) : .tag(Tag.action(action))
            )
        }
        return conditions + results.map(Condition.result)
    }
}

extension Condition {
    fileprivate static func author(_ domain: MessageFilter.Domain) -> Condition {
        switch domain {
        case .name(let name): .column("author", "= ?", [name.description])
        // No index has names by their ends.
        case .below(let name):
            Condition(
                term: "substr(m.author, ?) = ?",
                values: [-name.description.utf8.count - 1, "." + name.description]
            )
        }
    }

    /// A condition on a column that no index has.
    fileprivate static func host(_ column: String, _ name: String) -> Condition {
        name.hasPrefix(".")
            ? Condition(term: "substr(m.\(column), ?) = ? COLLATE NOCASE", values: [-name.unicodeScalars.count, name])
            : Condition(term: "m.\(column) = ? COLLATE NOCASE", values: [name])
    }

    fileprivate static func client(_ network: IPNetwork) -> Condition {
        let network = network.canonical
        let first = network.address
        guard network.prefixLength < network.address.bitWidth else {
            return .column("client", "= ?", [MessageRow.clientKey(first)])
        }
        return .column("client", "BETWEEN ? AND ?", [MessageRow.clientKey(first), MessageRow.clientKey(network.last)])
    }

    fileprivate static func sender(_ address: MessageFilter.Address) -> Condition {
        switch address {
        case .address(let address): return .column("sender", "= ?", [AddressKey.key(address)])
        case .domain(let domain):
            let (first, end) = AddressKey.range(ofDomain: domain)
            return .column("sender", "BETWEEN ? AND ?", [first, end])
        }
    }

    fileprivate static func recipient(_ address: MessageFilter.Address) -> Condition {
        switch address {
        case .address(let address):
            let index = "recipient AS d INDEXED BY recipient_address"
            let path = Path(
                tables: "\(index) CROSS JOIN message AS m ON m.id = d.message",
                term: "d.address = ?",
                id: "d.message",
                entries: "SELECT 1 FROM \(index) WHERE d.address = ?"
            )
            let term = "EXISTS (SELECT 1 FROM recipient WHERE message = m.id AND address = ?)"
            return Condition(term: term, values: [AddressKey.key(address)], path: path)
        case .domain(let domain):
            let (first, end) = AddressKey.range(ofDomain: domain)
            let entries = "SELECT message FROM recipient INDEXED BY recipient_address WHERE address BETWEEN ? AND ?"
            // A message may have several recipients there.
            let path = Path(
                tables: "message AS m",
                term: "m.id IN (\(entries))",
                id: "m.id",
                isOrdered: false,
                entries: entries
            )
            return Condition(
                term: "EXISTS (SELECT 1 FROM recipient WHERE message = m.id AND address BETWEEN ? AND ?)",
                values: [first, end],
                path: path
            )
        }
    }

    fileprivate static func result(_ result: MessageFilter.Result) -> Condition {
        guard let tag = Tag.result(result.check, result.word) else {
            // No column has the result of this check.
            if result.check == .arc {
                let stored = "SELECT json_extract(CAST(json AS TEXT), '$.arc.result') FROM event WHERE id = m.id"
                return Condition(term: "(\(stored)) = ?", values: [result.word])
            }
            return Condition(term: "m.\(result.check.rawValue) = ?", values: [result.word])
        }
        return .tag(tag)
    }
}

extension IPNetwork {
    /// The last address of a block in its usual form.
    fileprivate var last: IPAddress {
        switch address {
        case .v4(let first):
            let hostBits = prefixLength == 0 ? UInt32.max : (1 << (32 - prefixLength)) &- 1
            return .v4(IPv4Address(first.value | hostBits))
        case .v6(let first):
            let high = prefixLength == 0 ? UInt64.max : prefixLength < 64 ? (1 << (64 - prefixLength)) - 1 : 0
            let low = prefixLength <= 64 ? UInt64.max : (1 << (128 - prefixLength)) - 1
            return .v6(IPv6Address(high: first.high | high, low: first.low | low))
        }
    }
}
