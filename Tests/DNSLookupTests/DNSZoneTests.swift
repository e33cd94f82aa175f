import DNSLookup
import MailSyntax
import Testing

/// What a question about the zone below has to give.
struct ZoneCase: Sendable, CustomTestStringConvertible {
    let section: String
    let name: String
    let type: DNSRecordType
    let expected: Expected

    enum Expected: Sendable, Equatable {
        case texts([String])
        case records(Int)
        case noData
        case noSuchName
        case failure(DNSLookupError)
    }

    init(_ section: String, _ name: String, _ type: DNSRecordType, _ expected: Expected) {
        (self.section, self.name, self.type, self.expected) = (section, name, type, expected)
    }

    var testDescription: String { "\(section): \(name) \(type)" }
}

@Suite("A zone answers like an authoritative server")
struct DNSZoneTests {
    static func name(_ text: String) throws -> DomainName { try DomainName(text) }

    /// The example of RFC 4592 § 2.2.1, in TXT records, and some names of our own.
    static func zone() throws -> DNSZone {
        var zone = DNSZone(timeToLive: 3600)
        zone.add(.txt(Array("this is a wildcard".utf8)), at: try name("*.example"))
        zone.add(.mx(preference: 10, exchange: try name("host1.example")), at: try name("*.example"))
        zone.add(.txt(Array("not a wildcard".utf8)), at: try name("sub.*.example"))
        zone.add(.a(IPv4Address(0xC000_0201)), at: try name("host1.example"))
        zone.add(existing: try name("_ssh._tcp.host1.example"))
        zone.add(alias: try name("alias.example"), of: try name("target.example.net"), timeToLive: 60)
        zone.add(.txt(Array("target".utf8)), at: try name("target.example.net"))
        zone.add(alias: try name("nowhere.example"), of: try name("absent.example.net"))
        zone.add(alias: try name("loop1.example"), of: try name("loop2.example"))
        zone.add(alias: try name("loop2.example"), of: try name("loop1.example"))
        for step in 0..<16 {
            zone.add(alias: try name("c\(step).example"), of: try name("c\(step + 1).example"))
        }
        zone.add(.txt(Array("end".utf8)), at: try name("c16.example"))
        zone.add(failure: .timeout, at: try name("slow.example"))
        zone.add(.a(IPv4Address(1)), at: try name("slow.example"))
        zone.add(failure: .serverFailure, at: try name("broken.example"), type: .txt)
        zone.add(.aaaa(IPv6Address(high: 0, low: 1)), at: try name("v6.example"))
        zone.add(.ptr(try name("host1.example")), at: try name("1.2.0.192.in-addr.arpa"))
        return zone
    }

    static let cases: [ZoneCase] = [
        // RFC 4592 § 2.2.1: the responses synthesized from a wildcard …
        ZoneCase("RFC 4592 § 2.2.1", "host3.example", .mx, .records(1)),
        ZoneCase("RFC 4592 § 2.2.1", "host3.example", .a, .noData),
        ZoneCase("RFC 4592 § 2.2.1", "foo.bar.example", .txt, .texts(["this is a wildcard"])),
        // … and those that are not.
        ZoneCase("RFC 4592 § 2.2.1", "host1.example", .mx, .noData),
        ZoneCase("RFC 4592 § 2.2.1", "sub.*.example", .mx, .noData),
        ZoneCase("RFC 4592 § 2.2.1", "_telnet._tcp.host1.example", .txt, .noSuchName),
        ZoneCase("RFC 4592 § 2.2.1", "ghost.*.example", .mx, .noSuchName),
        ZoneCase("RFC 4592 § 2.3", "*.example", .txt, .texts(["this is a wildcard"])),
        ZoneCase("RFC 8020 § 2", "_tcp.host1.example", .txt, .noData),
        ZoneCase("RFC 8020 § 2", "example.net", .txt, .noData),
        ZoneCase("RFC 2308 § 2.1", "absent.example.net", .txt, .noSuchName),
        ZoneCase("RFC 2308 § 2.2", "target.example.net", .a, .noData),
        ZoneCase("RFC 4343 § 3", "TARGET.Example.NET.", .txt, .texts(["target"])),
        ZoneCase("RFC 1034 § 3.6.2", "alias.example", .txt, .texts(["target"])),
        ZoneCase("RFC 1034 § 3.6.2", "alias.example", .mx, .noData),
        ZoneCase("RFC 6604 § 3", "nowhere.example", .txt, .noSuchName),
        ZoneCase("a circle", "loop1.example", .txt, .failure(.aliasLoop)),
        ZoneCase("fifteen aliases", "c1.example", .txt, .texts(["end"])),
        ZoneCase("sixteen aliases", "c0.example", .txt, .failure(.tooManyAliases)),
        ZoneCase("failing name", "slow.example", .txt, .failure(.timeout)),
        ZoneCase("failing name with a record", "slow.example", .a, .records(1)),
        ZoneCase("failing type", "broken.example", .txt, .failure(.serverFailure)),
        ZoneCase("failing type, other asked", "broken.example", .a, .noData),
        ZoneCase("types", "v6.example", .aaaa, .records(1)),
        ZoneCase("types", "1.2.0.192.in-addr.arpa", .ptr, .records(1)),
    ]

    @Test("answers", arguments: cases)
    func answers(_ vector: ZoneCase) throws {
        let question = DNSQuestion(try DomainName(vector.name), vector.type)
        let outcome: ZoneCase.Expected =
            switch try Self.zone().answer(question) {
            case .failure(let error): .failure(error)
            case .success(let answer):
                switch answer.status {
                case .noData: .noData
                case .noSuchName: .noSuchName
                case .records:
                    vector.type == .txt
                        ? .texts(answer.texts.map { String(decoding: $0, as: UTF8.self) })
                        : .records(answer.records.count)
                }
            }
        #expect(outcome == vector.expected)
    }

    @Test("RFC 2181 § 5.2, RFC 1034 § 3.6.2: the smallest TTL on the way counts")
    func timesToLive() throws {
        let zone = try Self.zone()
        let direct = try zone.answer(DNSQuestion(Self.name("target.example.net"), .txt)).get()
        #expect(direct.timeToLive == 3600)
        let aliased = try zone.answer(DNSQuestion(Self.name("alias.example"), .txt)).get()
        #expect(aliased.timeToLive == 60)
        #expect(aliased.question.name == (try Self.name("alias.example")))
    }
}

@Suite("Values kept beside an answer")
struct DerivedTests {
    @Test("each type is computed once and kept apart")
    func keeps() throws {
        let answer = DNSAnswer(DNSQuestion(try DomainName("a.example"), .txt), records: [.txt([1])], timeToLive: 5)
        #expect(answer.derived { $0.texts.count } == 1)
        #expect(answer.derived { _ in 7 } == 1)
        #expect(answer.derived { _ in "seven" } == "seven")
    }

    private final class Token: Sendable {}

    @Test("when many ask at once, all get the same")
    func asksAtOnce() async throws {
        for _ in 0..<50 {
            let answer = DNSAnswer(DNSQuestion(try DomainName("a.example"), .txt), records: [.txt([1])], timeToLive: 5)
            let found = await withTaskGroup(of: [ObjectIdentifier].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let first = answer.derived { _ in Token() }
                        return [ObjectIdentifier(first), ObjectIdentifier(answer.derived { _ in [Token()] }[0])]
                    }
                }
                return await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(found.count == 1)
        }
    }
}
