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
    /// Domain names and files with one a line; a single one may stand without brackets.
    static let domainList = ValueType(
        name: "list of domain",
        accepted: "a list, each a domain name, as \"example.org\", or { file = \"/path\" }",
        read: { value, key, reader in
            let before = reader.problems.count
            var list = DomainList()
            if case .array(let elements) = value.content {
                for element in elements { list.add(element, key, &reader) }
            } else {
                list.add(value, key, &reader)
            }
            guard reader.problems.count == before else { return nil }
            // A file that was cut off must not switch signing off.
            guard !list.names.isEmpty else {
                reader.report(value.position, key, "names no domain", accepted: "at least one domain name")
                return nil
            }
            return list
        },
        write: { $0.written.isEmpty ? nil : "[" + $0.written.joined(separator: ", ") + "]" }
    )
}

extension DomainList {
    /// Adds what an element says: a name, or those of a file.
    fileprivate mutating func add(_ element: TOMLValue, _ key: String, _ reader: inout ConfigurationReader) {
        guard case .table(let entries) = element.content else {
            guard let name = ValueType.domain.read(element, key, &reader) else { return }
            names.append(name)
            written.append(TOMLText.quoted("\(name)"))
            return
        }
        guard entries.count == 1, let entry = entries.first, entry.key == "file",
            let path = ValueType.path.read(entry.value, key, &reader)
        else {
            reader.report(element.position, key, "a table cannot be used", accepted: "{ file = \"/path\" }")
            return
        }
        for (line, text) in reader.entries(ofList: path, element.position, key) {
            if let name = try? DomainName(mailHost: Octets(text)) {
                names.append(name)
            } else {
                let message = "\(TOMLText.quoted(text)) cannot be used"
                reader.report(list: path, line: line, key, message, accepted: "a domain name, as \"example.org\"")
            }
        }
        written.append("{ file = \(TOMLText.quoted(path)) }")
    }
}
