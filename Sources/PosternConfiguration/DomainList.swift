public import MailSyntax
internal import TOML

/// Domain names, some of them from files.
public struct DomainList: Sendable, Equatable {
    /// The names, in their order.
    public var names: [DomainName] = []
    /// What stands in the configuration for them, as TOML.
    fileprivate var written: [String] = []

    /// No names.
    public init() {}
}

extension ValueType where Value == DomainList {
    /// Domain names and files with one a line, at least one in all; a single one may stand without brackets.
    static let domainList = domainList(mayBeEmpty: false)

    /// Domain names and files with one a line; a single one may stand without brackets.
    static func domainList(mayBeEmpty: Bool) -> ValueType {
        ValueType(
            name: "list of domain",
            accepted: "a list, each a domain name, as \"example.org\", or { file = \"/path\" }",
            read: { value, key, reader in
                var list = DomainList()
                var isWhole = true
                if case .array(let elements) = value.content {
                    for element in elements { isWhole = list.add(element, key, &reader) && isWhole }
                } else {
                    isWhole = list.add(value, key, &reader)
                }
                guard isWhole else { return nil }
                // A file that was cut off must not switch signing off.
                guard mayBeEmpty || !list.names.isEmpty else {
                    reader.report(value.position, key, "names no domain", accepted: "at least one domain name")
                    return nil
                }
                return list
            },
            write: { $0.written.isEmpty ? nil : "[" + $0.written.joined(separator: ", ") + "]" }
        )
    }
}

extension DomainList {
    /// Adds what an element says: a name, or those of a file; false after a problem was reported.
    fileprivate mutating func add(_ element: TOMLValue, _ key: String, _ reader: inout ConfigurationReader) -> Bool {
        guard case .table(let entries) = element.content else {
            guard let name = ValueType.domain.read(element, key, &reader) else { return false }
            names.append(name)
            written.append(TOMLText.quoted("\(name)"))
            return true
        }
        guard entries.count == 1, let entry = entries.first, entry.key == "file",
            let path = ValueType.path.read(entry.value, key, &reader)
        else {
            reader.report(element.position, key, "a table cannot be used", accepted: "{ file = \"/path\" }")
            return false
        }
        guard let list = reader.entries(ofList: path, element.position, key) else { return false }
        var isWhole = true
        for (line, text) in list {
            if let name = try? DomainName(mailHost: Octets(text)) {
                names.append(name)
            } else {
                let message = "\(TOMLText.quoted(text)) cannot be used"
                reader.report(list: path, line: line, key, message, accepted: "a domain name, as \"example.org\"")
                isWhole = false
            }
        }
        written.append("{ file = \(TOMLText.quoted(path)) }")
        return isWhole
    }
}
