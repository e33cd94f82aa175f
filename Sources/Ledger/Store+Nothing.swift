internal import GRDB

extension Store {
    /// How many rules are named where none has the name that was asked for.
    private static let maximumNamed = 10

    /// Why no message meets a filter, where that can be said.
    public func reasonForNothing(_ filter: MessageFilter) throws(StoreError) -> String? {
        if let rule = filter.rule, let reason = try absence(of: rule) { return reason }
        guard let action = filter.action, filter.would == nil else { return nil }
        var observed = filter
        observed.action = nil
        observed.would = action
        guard try !identifiers(observed, .newest, limit: 1).isEmpty else { return nil }
        return "the rules only observed: --would \(action)"
    }

    /// That no stored message names a rule, and the names that there are.
    private func absence(of rule: String) throws(StoreError) -> String? {
        let names = try read { database in
            try String.fetchAll(
                database,
                sql: "SELECT substr(text, 6) FROM word WHERE text >= 'rule=' AND text < 'rule>' ORDER BY text"
            )
        }
        guard !names.contains(rule) else { return nil }
        let named = names.prefix(Self.maximumNamed).map { TextTable.printable($0, limit: 128) }
        let known = names.isEmpty ? "" : "; there are \(named.joined(separator: ", "))"
        let more = names.count > named.count ? " and \(names.count - named.count) more" : ""
        return "no stored message names a rule \"\(TextTable.printable(rule, limit: 128))\"\(known)\(more)"
    }
}
