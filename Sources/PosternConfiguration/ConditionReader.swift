internal import MailSyntax
internal import Policy
internal import TOML

/// Reads the conditions of rules.
enum ConditionReader {
    /// The conditions of a table; nil if the table itself is wrong.
    static func conditions(_ value: TOMLValue, _ key: String, _ reader: inout ConfigurationReader) -> [Condition]? {
        guard case .table(let entries) = value.content else {
            reader.report(
                value.position,
                key,
                "\(value.kind) cannot be used",
                accepted: "a table, as { spf = \"fail\" }"
            )
            return nil
        }
        var conditions = [Condition]()
        for entry in entries {
            let path = key + "." + entry.key
            guard let name = ConditionName(rawValue: entry.key) else {
                let (message, accepted) = ConditionDescription.unknown(entry.key)
                reader.report(entry.position, path, message, accepted: accepted)
                continue
            }
            if let condition = condition(name, entry.value, entry.position, path, &reader) {
                conditions.append(condition)
            }
        }
        return conditions
    }

    /// The conditions as a TOML table.
    static func written(_ conditions: [Condition]) -> String {
        guard !conditions.isEmpty else { return "{}" }
        return "{ " + conditions.map { "\($0.name.rawValue) = \($0.text)" }.joined(separator: ", ") + " }"
    }

    /// The condition with a value; nil after a problem was reported.
    static func condition(
        _ name: ConditionName,
        _ value: TOMLValue,
        _ position: TOMLPosition,
        _ key: String,
        _ reader: inout ConfigurationReader
    ) -> Condition? {
        if name.kind == .flag {
            return ValueType.flag.read(value, key, &reader).map {
                Condition(name, .flag($0), text: $0 ? "true" : "false", location: reader.location(position))
            }
        }
        guard let items = items(value, name, key, &reader), let values = values(name, items, key, &reader) else {
            return nil
        }
        return Condition(name, values, text: text(items), location: reader.location(position))
    }

    /// A value of a condition.
    private enum Item {
        case text(String, isNegated: Bool, TOMLPosition)
        case list(String, TOMLPosition)

        var toml: String {
            switch self {
            case .text(let text, let isNegated, _): TOMLText.quoted((isNegated ? "!" : "") + text)
            case .list(let path, _): "{ file = \(TOMLText.quoted(path)) }"
            }
        }
    }

    private static func text(_ items: [Item]) -> String {
        let written = items.map(\.toml).joined(separator: ", ")
        return items.count == 1 ? written : "[" + written + "]"
    }

    private static func items(
        _ value: TOMLValue,
        _ name: ConditionName,
        _ key: String,
        _ reader: inout ConfigurationReader
    ) -> [Item]? {
        guard case .array(let elements) = value.content else {
            return item(value, name, key, &reader).map { [$0] }
        }
        guard !elements.isEmpty else {
            reader.report(value.position, key, "an empty list matches nothing", accepted: name.accepted)
            return nil
        }
        let items = elements.compactMap { item($0, name, key, &reader) }
        return items.count == elements.count ? items : nil
    }

    private static func item(
        _ value: TOMLValue,
        _ name: ConditionName,
        _ key: String,
        _ reader: inout ConfigurationReader
    ) -> Item? {
        switch value.content {
        case .string(let text):
            let plain = text.drop { $0 == "!" }
            guard text.count - plain.count <= 1, !plain.isEmpty else { break }
            return .text(String(plain), isNegated: plain.count < text.count, value.position)
        case .integer(let number) where name.kind == .count:
            return .text(String(number), isNegated: false, value.position)
        case .table(let entries) where name.takesLists:
            guard entries.count == 1, let entry = entries.first, entry.key == "file",
                case .string(let path) = entry.value.content, !path.isEmpty
            else { break }
            return .list(path, value.position)
        default: break
        }
        let what = if case .string(let text) = value.content { TOMLText.quoted(text) } else { value.kind }
        reader.report(value.position, key, "\(what) cannot be used", accepted: name.accepted)
        return nil
    }

    private static func values(
        _ name: ConditionName,
        _ items: [Item],
        _ key: String,
        _ reader: inout ConfigurationReader
    ) -> Condition.Values? {
        switch name.kind {
        case .network:
            return choice(name, items, key, NetworkSet(), &reader) { set, text in
                guard let network = IPNetwork(text), network == network.canonical else { return false }
                set.insert(network)
                return true
            }.map { .networks($0) }
        case .address:
            return choice(name, items, key, AddressSet(), &reader) { set, text in
                (try? set.insert(text)) != nil
            }.map { .addresses($0) }
        case .count:
            return choice(name, items, key, [CountTest](), &reader) { tests, text in
                guard let test = CountTest(parsing: text) else { return false }
                tests.append(test)
                return true
            }.map { .counts($0) }
        case .policy:
            return choice(name, items, key, WordSet<DMARCPolicyWord>(), &reader) { words, text in
                DMARCPolicyWord(rawValue: text).map { words.insert($0) } != nil
            }.map { .policies($0) }
        case .reading:
            return choice(name, items, key, WordSet<AuthorReading>(), &reader) { words, text in
                AuthorReading(rawValue: text).map { words.insert($0) } != nil
            }.map { .readings($0) }
        case .domain:
            return choice(name, items, key, DomainSet(), &reader) { set, text in
                let plain = text.hasPrefix(".") ? text.dropFirst() : text[...]
                return !name.takesNoAddress(text) && !name.takesNoneBelow(text)
                    && (try? DomainName(mailHost: Octets(String(plain)))) != nil
                    && (try? set.insert(text)) != nil
            }.map { .domains($0) }
        case .result:
            return choice(name, items, key, WordSet<ResultWord>(), &reader) { words, text in
                guard let word = ResultWord(rawValue: text), name.words.contains(word) else { return false }
                words.insert(word)
                return true
            }.map { .words($0) }
        // It is a single value, and is read as a value.
        case .flag: return nil
        }
    }

    /// Sorts values into wanted and excluded values; nil when one of them is not valid for the condition.
    private static func choice<Values>(
        _ name: ConditionName,
        _ items: [Item],
        _ key: String,
        _ empty: Values,
        _ reader: inout ConfigurationReader,
        insert: (inout Values, String) -> Bool
    ) -> Choice<Values>? {
        var choice = Choice<Values>(wanted: nil)
        var isValid = true
        for item in items {
            switch item {
            case .text(let text, let isNegated, let position):
                var values = (isNegated ? choice.excluded : choice.wanted) ?? empty
                if !insert(&values, text) {
                    let (message, accepted) = name.unusable(text)
                    reader.report(position, key, message, accepted: accepted)
                    isValid = false
                } else if isNegated {
                    choice.excluded = values
                } else {
                    choice.wanted = values
                }
            case .list(let path, let position):
                var values = choice.wanted ?? empty
                guard let entries = reader.entries(ofList: path, position, key) else {
                    isValid = false
                    continue
                }
                for (line, text) in entries where !insert(&values, text) {
                    let (message, accepted) = name.unusable(text)
                    reader.report(list: reader.resolve(path), line: line, key, message, accepted: accepted)
                    isValid = false
                }
                choice.wanted = values
            }
        }
        return isValid ? choice : nil
    }
}

extension CountTest {
    /// Reads `2`, `>1`, `>=2`, `<2` or `<=1`.
    init?(parsing text: String) {
        let relation = Relation.allCases.first { text.hasPrefix($0.rawValue) } ?? .equal
        let digits = text.dropFirst(relation.rawValue.count).drop { $0 == " " }
        guard !digits.isEmpty, digits.utf8.allSatisfy(\.isDigit), let number = Int(digits) else { return nil }
        self.init(relation, number)
    }
}
