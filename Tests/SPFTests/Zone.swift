import DNSLookup
import MailSyntax
import SPF

/// A zone as lines: a name, a type, and the data.
///
/// TXT takes the rest of the line; FAIL makes lookups fail.
func zone(_ lines: String...) throws -> DNSZone {
    var zone = DNSZone()
    for line in lines { try add(line, to: &zone) }
    return zone
}

/// Adds one line.
func add(_ line: String, to zone: inout DNSZone) throws {
    let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    let name = try DomainName(parts[0])
    let data = parts.count > 2 ? parts[2] : ""
    switch parts[1] {
    case "TXT": zone.add(.txt(Array(data.utf8)), at: name)
    case "MX": zone.add(.mx(preference: 10, exchange: data == "." ? .root : try DomainName(data)), at: name)
    case "PTR": zone.add(.ptr(try DomainName(data)), at: name)
    case "CNAME": zone.add(alias: name, of: try DomainName(data))
    case "FAIL": zone.add(failure: .serverFailure, at: name)
    default:
        switch IPAddress(data) {
        case .v4(let address): zone.add(.a(address), at: name)
        case .v6(let address): zone.add(.aaaa(address), at: name)
        case nil: throw BadLine(line: line)
        }
    }
}

struct BadLine: Error {
    let line: String
}

/// Checks `user@d.example` from 192.0.2.1, unless something else is said.
func check(
    _ resolver: some DNSResolving,
    from sender: String = "user@d.example",
    helo: String = "helo.example",
    client: String = "192.0.2.1",
    now: UnixTime = 0,
    options: SPFOptions = SPFOptions()
) async throws -> SPFOutcome {
    guard let address = IPAddress(client) else { throw BadLine(line: client) }
    let (sender, helo) = (Octets(sender), Octets(helo))
    return await resolver.outcome(
        of: SPFInquiry(mailFrom: sender, helo: helo, client: address, now: now, options: options)
    )
}
