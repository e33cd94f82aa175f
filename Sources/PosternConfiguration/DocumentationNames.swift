internal import MailSyntax
internal import TOML

/// Names and addresses that are kept for documents: an example's that was not replaced does nothing.
enum DocumentationNames {
    /// RFC 2606 §§ 2 and 3.
    private static let domains = ["example", "example.com", "example.net", "example.org"].compactMap {
        try? DomainName($0)
    }

    /// RFC 5737 § 3 and RFC 3849 § 2.
    private static let networks = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"].compactMap {
        IPNetwork($0)
    }

    /// Whether a setting's text is such a name or address, a mail address or a socket with one, or a network within.
    static func contain(_ text: String) -> Bool {
        let plain = text.drop { $0 == "!" }
        let place = String(plain[(plain.lastIndex(of: "@").map(plain.index(after:)) ?? plain.startIndex)...])
        if let network = IPNetwork(place) ?? AddressAndPort(place).flatMap(\.network) {
            return networks.contains { $0.contains(network) }
        }
        guard let name = try? DomainName(String(place.drop { $0 == "." })) else { return false }
        return domains.contains { name.isEqualOrSubdomain(of: $0) }
    }
}

extension AddressAndPort {
    fileprivate var network: IPNetwork? { IPNetwork(address, prefixLength: address.bitWidth) }
}

/// A setting with names or addresses that are kept for documents.
struct DocumentationValues: Sendable {
    /// The file: the configuration, or one of its lists.
    let file: String
    /// The line of the first.
    let line: Int
    /// The setting's full name.
    let key: String
    /// The first of the names and addresses, as they are written.
    private(set) var texts: [String]
    /// How many there are.
    private var count = 1

    init(_ text: String, file: String, line: Int, key: String) {
        self.file = file
        self.line = line
        self.key = key
        texts = [text]
    }

    /// Adds another name or address.
    mutating func add(_ text: String) {
        count += 1
        if texts.count < 3 { texts.append(text) }
    }

    /// The warning.
    var problem: ConfigurationProblem {
        let others = count > texts.count ? " and \(Counted.words(count - texts.count, "other"))" : ""
        return ConfigurationProblem(
            file: file,
            line: line,
            column: 0,
            key: key,
            message: texts.map(TOMLText.quoted).joined(separator: ", ") + others
                + (count == 1 ? " is" : " are") + " for documents only: nobody has such a name or address",
            accepted: "a real one",
            isWarning: true
        )
    }
}

extension ConfigurationReader {
    /// Notes the names and addresses in a value that are kept for documents.
    mutating func noteDocumentationNames(_ value: TOMLValue, _ key: String = "") {
        switch value.content {
        case .string(let text): noteDocumentationName(text, file: file, line: value.position.line, key)
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                let isTable = if case .table = element.content { true } else { false }
                noteDocumentationNames(element, isTable ? "\(key)[\(index + 1)]" : key)
            }
        case .table(let entries):
            // Names of rules, and of files, are one's own choice.
            for entry in entries where entry.key != "name" && entry.key != "file" {
                noteDocumentationNames(entry.value, key.isEmpty ? entry.key : key + "." + entry.key)
            }
        case .integer, .float, .boolean, .date: break
        }
    }

    /// Notes a text that is kept for documents.
    mutating func noteDocumentationName(_ text: String, file: String, line: Int, _ key: String) {
        guard DocumentationNames.contain(text) else { return }
        if let index = documentationValues.firstIndex(where: { $0.file == file && $0.key == key }) {
            documentationValues[index].add(text)
        } else {
            documentationValues.append(DocumentationValues(text, file: file, line: line, key: key))
        }
    }
}
