internal import FoundationEssentials
internal import GRDB
internal import MailSyntax

/// Finds an address, or the addresses at a domain, anywhere in what is stored as JSON.
struct Mention {
    private static let escape = Array("\\u00".utf8)

    /// What is looked for, in lower case and as JSON writes it.
    private let wanted: [UInt8]
    /// Whether the local part begins with it.
    private let isWhole: Bool

    /// A search for an address; nil for the null sender, which is nobody.
    init?(_ address: MessageFilter.Address) {
        switch address {
        case .address(""): return nil
        case .address(let address): (wanted, isWhole) = (Self.written(address), true)
        case .domain(let domain): (wanted, isWhole) = (Self.written("@" + domain), false)
        }
    }

    /// RFC 8259 § 7: quotation mark, reverse solidus and the control characters "MUST be escaped".
    private static func written(_ text: String) -> [UInt8] {
        text.utf8.flatMap { octet -> [UInt8] in
            guard octet < 0x20 || octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") || octet == 0x7F else {
                return [octet.lowercased]
            }
            return escape + Array(String(0x100 | Int(octet), radix: 16).utf8.dropFirst())
        }
    }

    /// The messages in whose event, or in whose DNS answers, it is.
    func messages(in database: Database) throws -> [Int64] {
        try ["event", "answer"].flatMap { table in
            let rows = try Row.fetchCursor(
                database,
                sql: "SELECT id, json FROM \(table) WHERE instr(lower(CAST(json AS TEXT)), ?) > 0",
                arguments: [String(decoding: wanted, as: UTF8.self)]
            )
            var found = [Int64]()
            while let row = try rows.next() {
                if isIn(try Array(row.decode(Data.self, atIndex: 1))) { found.append(try row.decode(atIndex: 0)) }
            }
            return found
        }
    }

    /// Whether it is in a text, and not only as a part of a longer address.
    func isIn(_ json: [UInt8]) -> Bool {
        let json = json.map(\.lowercased)
        var rest = json[...]
        while let place = rest.firstRange(of: wanted) {
            if !(isWhole && Self.isLocalPart(endOf: json[..<place.lowerBound])),
                !Self.isDomain(startOf: json[place.upperBound...])
            {
                return true
            }
            rest = json[(place.lowerBound + 1)...]
        }
        return false
    }

    private static func isLocalPart(endOf text: Octets) -> Bool {
        guard let last = text.last, !text.suffix(6).starts(with: escape) else { return false }
        return isLetter(last) || "._+-".utf8.contains(last)
    }

    private static func isDomain(startOf text: Octets) -> Bool {
        guard let first = text.first else { return false }
        if first == UInt8(ascii: ".") { return text.dropFirst().first.map(isLetter) ?? false }
        return isLetter(first) || first == UInt8(ascii: "-")
    }

    private static func isLetter(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...: true
        default: false
        }
    }
}
