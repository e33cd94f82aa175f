public import DNSLookup
public import FoundationEssentials
public import MailSyntax
public import Testing
internal import Yams

/// One case of a suite in the format of openspf.org: a check, the zone it is made against, and what should come out.
public struct SPFCase: Sendable, CustomTestStringConvertible {
    /// The case's name in its suite.
    public let name: String
    /// Which section of the suite the case is in; the cases of one section share a zone.
    public let sectionNumber: Int
    /// The paragraph of the RFC that the case proves.
    public let section: String
    /// The argument of HELO.
    public let helo: Octets
    /// The client's address.
    public let client: IPAddress
    /// The argument of MAIL FROM; empty when the HELO identity is checked.
    public let mailFrom: Octets
    /// The purported responsible address, where the case is about one.
    public let responsibleAddress: Octets?
    /// The results that are right.
    public let results: [String]
    /// The explanation; `DEFAULT` when the record gives none.
    public let explanation: String?
    /// What the DNS holds.
    public let zone: DNSZone

    /// The name and the paragraph.
    public var testDescription: String { "\(name) (\(section))" }
}

/// Reads suites of SPF and Sender ID cases.
public enum SPFSuite {
    /// What is wrong with a suite.
    public struct Malformed: Error, CustomStringConvertible {
        /// What and where.
        public let description: String
    }

    /// The cases in a file of one or more documents.
    public static func cases(_ file: Data) throws -> [SPFCase] {
        try Yams.compose_all(yaml: String(decoding: file, as: UTF8.self)).enumerated().flatMap { number, document in
            let zone = try zone(document["zonedata"])
            return try (document["tests"]?.mapping ?? [:]).map {
                try makeCase(name: string($0), number, $1, zone: zone)
            }
        }
    }

    private static func makeCase(name: String, _ number: Int, _ node: Node, zone: DNSZone) throws -> SPFCase {
        guard let client = node["host"].flatMap({ IPAddress(string($0)) }) else {
            throw Malformed(description: "\(name): no host")
        }
        return SPFCase(
            name: name,
            sectionNumber: number,
            section: strings(node["spec"]).joined(separator: ", "),
            helo: Octets(node["helo"].map(string) ?? ""),
            client: client,
            mailFrom: Octets(node["mailfrom"].map(string) ?? ""),
            responsibleAddress: node["pra"].map { Octets(string($0)) },
            results: strings(node["result"]),
            explanation: node["explanation"].map(string),
            zone: zone
        )
    }

    /// The zone that a `zonedata` mapping describes: records by name, `TIMEOUT`, and SPF records doubled as TXT.
    private static func zone(_ node: Node?) throws -> DNSZone {
        var zone = DNSZone()
        for (key, entries) in node?.mapping ?? [:] {
            // A name that no question can hold answers none.
            guard let name = try? DomainName(string(key)) else { continue }
            let pairs = (entries.sequence ?? []).flatMap { $0.mapping.map { $0.map { (string($0), $1) } } ?? [] }
            let hasText = pairs.contains { $0.0 == "TXT" }
            for (type, value) in pairs {
                try add(type, value, doublesSPF: !hasText, at: name, to: &zone)
            }
            if (entries.sequence ?? []).contains(where: { $0.scalar?.string == "TIMEOUT" }) {
                zone.add(failure: .timeout, at: name)
            }
        }
        return zone
    }

    private static func add(
        _ type: String,
        _ value: Node,
        doublesSPF: Bool,
        at name: DomainName,
        to zone: inout DNSZone
    ) throws {
        switch (type, string(value)) {
        case ("TXT", "NONE"): break
        case ("TXT", _): zone.add(.txt(octets(of: value)), at: name)
        case ("SPF", _): if doublesSPF { zone.add(.txt(octets(of: value)), at: name) }
        case ("A", let text):
            guard case .v4(let address)? = IPAddress(text) else { throw Malformed(description: "\(name) A \(text)") }
            zone.add(.a(address), at: name)
        case ("AAAA", let text):
            guard case .v6(let address)? = IPAddress(text) else { throw Malformed(description: "\(name) AAAA \(text)") }
            zone.add(.aaaa(address), at: name)
        case ("PTR", let text): zone.add(.ptr(try DomainName(text)), at: name)
        case ("CNAME", let text): zone.add(alias: name, of: try DomainName(text))
        case ("MX", _):
            guard let parts = value.sequence, let first = parts.first, let last = parts.last,
                let preference = UInt16(string(first))
            else { throw Malformed(description: "\(name) MX") }
            let exchange = string(last)
            zone.add(
                .mx(preference: preference, exchange: exchange.isEmpty ? .root : try DomainName(exchange)),
                at: name
            )
        default: throw Malformed(description: "\(name): unknown type \(type)")
        }
    }

    /// The text of a scalar, without the guesses of YAML at its type.
    private static func string(_ node: Node) -> String { node.scalar?.string ?? "" }

    /// The texts of a list, or of a scalar that stands for a list of one.
    private static func strings(_ node: Node?) -> [String] {
        guard let node else { return [] }
        return node.sequence.map { $0.map(string) } ?? [string(node)]
    }

    /// The octets of a TXT record: a string, or a list of strings to be joined.
    ///
    /// A code point stands for an octet.
    private static func octets(of node: Node) -> [UInt8] {
        strings(node).joined().unicodeScalars.flatMap { scalar in
            UInt8(exactly: scalar.value).map { [$0] } ?? Array(String(scalar).utf8)
        }
    }
}
