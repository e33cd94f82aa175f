import DNSLookup
import FoundationEssentials
import MailSyntax
import SPF
import Testing

/// Evaluates the cases that `Tests/Judges/spf_judge.py` generates, for it to compare.
@Suite("JudgedRecords")
struct JudgedRecordsTests {
    private struct Case: Decodable {
        let id: Int
        let client: String
        let helo: String
        let sender: String
        let zone: [String: [Entry]]
    }

    private enum Entry: Decodable {
        case text(kind: String, String)
        case exchange(UInt16, String)

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            let kind = try container.decode(String.self)
            if kind == "MX" {
                var pair = try container.nestedUnkeyedContainer()
                self = .exchange(try pair.decode(UInt16.self), try pair.decode(String.self))
            } else {
                self = .text(kind: kind, try container.decode(String.self))
            }
        }
    }

    private struct Line: Encodable {
        let id: Int
        let result: String
        let problem: String?
        let trace: String
    }

    private static let environment = ProcessInfo.processInfo.environment

    @Test("python3-spf", .enabled(if: environment["POSTERN_SPF_CASES"] != nil))
    func judged() async throws {
        let input = try #require(Self.environment["POSTERN_SPF_CASES"])
        let output = try #require(Self.environment["POSTERN_SPF_RESULTS"])
        var lines = [UInt8]()
        for line in try Data(contentsOf: URL(filePath: input)).split(separator: 0x0A) {
            let known = try JSONDecoder().decode(Case.self, from: Data(line))
            lines += try JSONEncoder().encode(try await evaluate(known))
            lines.append(0x0A)
        }
        try Data(lines).write(to: URL(filePath: output))
    }

    private func evaluate(_ known: Case) async throws -> Line {
        let zone = try zone(known.zone)
        let client = try #require(IPAddress(known.client))
        let (sender, helo) = (Octets(known.sender), Octets(known.helo))
        let outcome = await zone.outcome(of: SPFInquiry(mailFrom: sender, helo: helo, client: client, now: 0))
        return Line(
            id: known.id,
            result: outcome.result.rawValue,
            problem: outcome.problem,
            trace: outcome.trace.map(\.description).joined(separator: "\n")
        )
    }

    private func zone(_ names: [String: [Entry]]) throws -> DNSZone {
        var zone = DNSZone()
        for (text, entries) in names {
            let name = try DomainName(text)
            for entry in entries {
                switch entry {
                case .exchange(let preference, let host):
                    zone.add(
                        .mx(preference: preference, exchange: host.isEmpty ? .root : try DomainName(host)),
                        at: name
                    )
                case .text("FAIL", _): zone.add(failure: .serverFailure, at: name)
                case .text("TXT", let value):
                    zone.add(.txt(value.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }), at: name)
                case .text("PTR", let value): zone.add(.ptr(try DomainName(value)), at: name)
                case .text(_, let value):
                    switch try #require(IPAddress(value)) {
                    case .v4(let address): zone.add(.a(address), at: name)
                    case .v6(let address): zone.add(.aaaa(address), at: name)
                    }
                }
            }
        }
        return zone
    }
}
