internal import GRDB
internal import MailSyntax

extension MessageFilter.Address {
    /// The address with its domain in A-labels, in U-labels (RFC 5890 § 2.3.2.1) and as it is, each once.
    var spellings: [Self] {
        switch self {
        case .domain(let domain): Self.spellings(of: domain).map { .domain($0) }
        case .address(let address):
            switch address.lastIndex(of: "@") {
            case nil: [self]
            case let at?:
                Self.spellings(of: String(address[address.index(after: at)...])).map { .address(address[...at] + $0) }
            }
        }
    }

    private static func spellings(of domain: String) -> [String] {
        let name = try? DomainName(unicode: Octets(domain))
        var spellings = [domain.lowercased()]
        for spelling in [name?.description, name?.unicode].compactMap({ $0?.lowercased() })
        where !spellings.contains(spelling) { spellings.append(spelling) }
        return spellings
    }

    /// The parts; nil where the domain is no name.
    fileprivate var parts: AddressParts? {
        switch self {
        case .domain(let domain): AddressParts(domain: domain, local: nil)
        case .address(let address): AddressParts(key: AddressKey.key(address))
        }
    }
}

extension Database {
    /// The messages whose sender, or one of whose recipients, is the address in any spelling of its domain: SMTPUTF8
    /// (RFC 6531 § 3.3) lets a client write U-labels, in any case and in any form of Unicode.
    func messages(withAnySpellingOf address: MessageFilter.Address) throws -> [Int64] {
        guard let wanted = address.parts else { return [] }
        let places = [("message", "id", "sender"), ("recipient", "message", "address")]
        return try places.flatMap { table, id, column -> [Int64] in
            // Those in US-ASCII are found by their index.
            let rows = try Row.fetchCursor(
                self,
                sql: "SELECT \(id), \(column) FROM \(table) WHERE \(column) GLOB '*[^ -~]*'"
            )
            var found = [Int64]()
            while let row = try rows.next() {
                guard let parts = AddressParts(key: try row.decode(atIndex: 1)), parts.domain == wanted.domain,
                    wanted.local == nil || wanted.local == parts.local
                else { continue }
                found.append(try row.decode(atIndex: 0))
            }
            return found
        }
    }
}

/// The parts of an address.
private struct AddressParts {
    let domain: DomainName
    /// The local part in lower case; nil for every one.
    let local: String?

    /// The parts; nil where the domain is no name.
    init?(domain: String, local: String?) {
        guard let name = try? DomainName(unicode: Octets(domain)) else { return nil }
        self.domain = name
        self.local = local
    }

    /// The parts of an `AddressKey`.
    init?(key: String) {
        guard let at = key.firstIndex(of: "@") else { return nil }
        self.init(domain: String(key[..<at]), local: String(key[key.index(after: at)...]))
    }
}
