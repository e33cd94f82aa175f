import DNSLookup
import Foundation
import MailSyntax
import Testing

@testable import DNSResolver

@Suite("Messages")
struct MessageTests {
    static let question = DNSQuestion((try? DomainName("name.example")) ?? .root, .txt)

    static func reply(_ answers: [Wire.Record], code: UInt16 = 0, authorities: [Wire.Record] = []) -> [UInt8] {
        Wire(
            identifier: 7,
            code: code,
            question: Wire.question("name.example", .txt),
            answers: answers,
            authorities: authorities
        ).octets
    }

    static func answer(_ octets: [UInt8], to question: DNSQuestion = question) throws -> DNSAnswer {
        guard case .answer(let answer, _) = ReplyMessage(octets, to: question) else {
            throw DNSLookupError.malformed
        }
        return answer
    }

    @Test("RFC 1035 § 4.1: a query")
    func query() throws {
        let name = try DomainName(labels: [Octets("a.b"), Octets([0, 255]), Octets("example")])
        let plain = try #require(QueryMessage(DNSQuestion(name, .mx), identifier: 0xBEEF, ednsSize: nil))
        let question: [UInt8] = [3, 0x61, 0x2E, 0x62, 2, 0, 255, 7] + Array("example".utf8) + [0, 0, 15, 0, 1]
        #expect(plain.octets == [0xBE, 0xEF, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + question)
        // RFC 6891 § 6.1.2: root, type 41, the size where the class is, no flags, no options.
        let edns = try #require(QueryMessage(DNSQuestion(name, .mx), identifier: 0xBEEF, ednsSize: 1232))
        #expect(edns.octets.dropFirst(12) == question[...] + [0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0])
        #expect(edns.octets[11] == 1)
    }

    @Test("the longest name fits")
    func maximumNameLength() throws {
        let name = try DomainName(labels: [63, 63, 63, 61].map { Octets([UInt8](repeating: 0x61, count: $0)) })
        #expect(try #require(QueryMessage(DNSQuestion(name, .a), identifier: 1, ednsSize: 1232)).octets.count == 282)
        #expect(QueryMessage(DNSQuestion(.root, .a), identifier: 1, ednsSize: nil)?.octets.count == 17)
    }

    @Test(
        "rspamd 4.1.0 read labels beyond the end of a message; here it is malformed",
        arguments: [
            [63], [3, 0x61, 0x62], [1, 0x61, 63, 0x62], [0xC0], [0xC0, 0xFF], [0xFF, 0xFF], [1, 0x61, 0xC0],
            [0xC0, 12 + 14 + 4 + 12], [0x40, 0x61], [0x80, 0x61],
        ] as [[UInt8]]
    )
    func labelsBeyondTheEnd(_ name: [UInt8]) throws {
        let question = DNSQuestion(try DomainName("name.example"), .ptr)
        var octets = Wire(identifier: 7, question: Wire.question("name.example", .ptr)).octets
        // One record, whose data is the name and ends with the message.
        octets[7] = 1
        octets += [0xC0, 12, 0, 12, 0, 1, 0, 0, 0, 9, 0, UInt8(name.count)] + name
        #expect(throws: (any Error).self) { try Self.answer(octets, to: question) }
        for length in octets.indices { _ = ReplyMessage(Array(octets.prefix(length)), to: question) }
    }

    @Test("every type is read")
    func types() throws {
        let exchange = try DomainName("mx.example")
        let rows: [(DNSRecordType, [UInt8], DNSRecord)] = [
            (.a, [192, 0, 2, 1], .a(IPv4Address(0xC000_0201))),
            (
                .aaaa, [0x20, 0x01] + [UInt8](repeating: 0, count: 13) + [9],
                .aaaa(IPv6Address(high: 0x2001 << 48, low: 9))
            ),
            (.mx, [1, 0] + Wire.name("MX.example"), .mx(preference: 256, exchange: exchange)),
            // The exchange's end is the question's: a compressed name in the data.
            (.mx, [0, 5, 2, 0x6D, 0x78, 0xC0, 17], .mx(preference: 5, exchange: exchange)),
            (.ptr, Wire.name("mx.example"), .ptr(exchange)),
            (.txt, [1, 0x61, 0, 2, 0x62, 0xFF], .txt([0x61, 0x62, 0xFF])),
            (.txt, [], .txt([])),
        ]
        for (type, data, expected) in rows {
            let record = Wire.Record(owner: Wire.pointerToQuestion, type: type.rawValue, data: data)
            let octets = Wire(identifier: 1, question: Wire.question("name.example", type), answers: [record]).octets
            let answer = try Self.answer(octets, to: DNSQuestion(Self.question.name, type))
            #expect(answer.records == [expected])
        }
    }

    @Test("data of the wrong length is refused")
    func wrongLengths() throws {
        let rows: [(DNSRecordType, [UInt8])] = [
            (.a, [1, 2, 3]), (.a, [1, 2, 3, 4, 5]), (.a, []), (.aaaa, [UInt8](repeating: 0, count: 15)), (.mx, [0]),
            (.mx, [0, 1]), (.mx, [0, 1] + Wire.name("a") + [0]), (.ptr, []), (.ptr, [1]), (.ptr, [0xC0]), (.txt, [1]),
            (.ptr, [0xC0, 0xFF]), (.ptr, [0x41, 0x61, 0]),
        ]
        for (type, data) in rows {
            let record = Wire.Record(owner: Wire.pointerToQuestion, type: type.rawValue, data: data)
            let octets = Wire(identifier: 1, question: Wire.question("name.example", type), answers: [record]).octets
            #expect(throws: DNSLookupError.malformed) {
                try Self.answer(octets, to: DNSQuestion(Self.question.name, type))
            }
        }
    }

    @Test("TTLs: the smallest on the way, RFC 2181 § 8 for a negative one, RFC 2308 § 5 without records")
    func timesToLive() throws {
        let aliased = Self.reply([
            Wire.alias("name.example", to: "b.example", timeToLive: 20),
            Wire.text("x", owner: Wire.name("b.example"), timeToLive: 30),
        ])
        #expect(try Self.answer(aliased).timeToLive == 20)
        #expect(try Self.answer(Self.reply([Wire.text("x", timeToLive: 1 << 31)])).timeToLive == 0)
        let rows: [([Wire.Record], UInt32)] = [
            ([Wire.authority("example", timeToLive: 900, minimum: 600)], 600),
            ([Wire.authority("example", timeToLive: 60, minimum: 600)], 60),
            ([Wire.authority("")], 600),
            // Not above the name: somebody else's business.
            ([Wire.authority("other")], 0),
            ([Wire.authority("sub.name.example")], 0),
            ([], 0),
        ]
        for (authorities, expected) in rows {
            for code: UInt16 in [0, 3] {
                let answer = try Self.answer(Self.reply([], code: code, authorities: authorities))
                #expect(answer.timeToLive == expected)
                #expect(answer.status == (code == 0 ? .noData : .noSuchName))
            }
        }
    }

    @Test("RFC 6604 § 3: the code is about the end of the aliases")
    func aliasToNothing() throws {
        let octets = Self.reply(
            [Wire.alias("name.example", to: "gone.example", timeToLive: 20)],
            code: 3,
            authorities: [Wire.authority("example")]
        )
        guard case .answer(let answer, let deniesName) = ReplyMessage(octets, to: Self.question) else {
            Issue.record("no answer")
            return
        }
        #expect(answer.status == .noSuchName)
        #expect(answer.timeToLive == 20)
        #expect(!deniesName)
    }

    @Test("of the records, only what the aliases reach is used")
    func unrelatedRecords() throws {
        var chaos = Wire.text("chaos")
        chaos.recordClass = 3
        let octets = Self.reply([
            Wire.text("other", owner: Wire.name("other.example")), chaos,
            Wire.Record(owner: Wire.pointerToQuestion, type: 1, data: [1, 2, 3, 4]), Wire.text("mine"),
            Wire.alias("other.example", to: "name.example"),
        ])
        #expect(try Self.answer(octets).texts == [Array("mine".utf8)])
    }

    @Test("more records than anybody has are refused")
    func tooMany() throws {
        let record = Wire.text("x")
        #expect(try Self.answer(Self.reply(Array(repeating: record, count: 1024))).records.count == 1024)
        #expect(throws: DNSLookupError.malformed) {
            try Self.answer(Self.reply(Array(repeating: record, count: 1025)))
        }
    }

    @Test("every cut and every changed octet ends with one of the outcomes")
    func mutations() throws {
        let octets = Self.reply(
            [
                Wire.alias("name.example", to: "b.example"), Wire.text("text", owner: Wire.name("b.example")),
                Wire.Record(owner: Wire.pointerToQuestion, type: 15, data: [0, 5, 0xC0, 17]),
            ],
            authorities: [Wire.authority("example")]
        )
        var outcomes = 0
        for question in DNSRecordType.allCases.map({ DNSQuestion(Self.question.name, $0) }) {
            for length in 0..<octets.count {
                guard case .failure(.malformed) = ReplyMessage(Array(octets.prefix(length)), to: question) else {
                    Issue.record("a message cut at \(length) was taken")
                    continue
                }
            }
            for position in octets.indices {
                for value: UInt8 in [0, 1, 0x0C, 0x3F, 0x40, 0x80, 0xC0, 0xFF, octets[position] ^ 1] {
                    var changed = octets
                    changed[position] = value
                    _ = ReplyMessage(changed, to: question)
                    outcomes += 1
                }
            }
        }
        #expect(outcomes == octets.count * 9 * 5)
    }

    @Test("pointers cost no more than the message is long")
    func pointerBomb() throws {
        // Each of a thousand records has an owner that leads through all the pointers before it.
        var octets = Wire(identifier: 1, question: Wire.question("name.example", .txt)).octets
        var pointers = [UInt8]()
        for step in 0..<8000 {
            let target = step == 0 ? 12 : octets.count + 2 * (step - 1)
            pointers += [0xC0 | UInt8(target >> 8), UInt8(target & 0xFF)]
        }
        octets += pointers
        octets[7] = 1
        guard case .failure(.malformed) = ReplyMessage(octets, to: Self.question) else {
            Issue.record("taken")
            return
        }
    }
}

@Suite("Zone files")
struct ZoneFileTests {
    static func load(_ text: String) throws -> DNSZone {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).zone").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(text.utf8).write(to: URL(filePath: path))
        return try ZoneFile.load(path: path)
    }

    static let zone = """
        $ORIGIN example.org.
        $TTL 1h
        @       IN SOA  ns hostmaster ( 1 2h 30m 1w ; serial and times
                        10m )
                IN NS   ns
                IN MX   10 mail
        mail    600 IN A 192.0.2.1
                IN AAAA 2001:db8::1
        ; two strings, an escape and a semicolon
        @       IN TXT  "v=spf1 " "a:\\"quoted\\" \\195\\164;-all"
        www     IN CNAME mail
        *.wild  IN TXT  wildcard
        $ORIGIN 2.0.192.in-addr.arpa.
        1       IN PTR  mail.example.org.
        deep.er IN SRV  1 2 3 host.example.org.
        """

    @Test("RFC 1035 § 5")
    func reads() throws {
        let zone = try Self.load(Self.zone)
        func records(_ name: String, _ type: DNSRecordType) throws -> [DNSRecord] {
            try zone.answer(DNSQuestion(DomainName(name), type)).get().records
        }
        let mail = try DomainName("mail.example.org")
        #expect(try records("example.org", .mx) == [.mx(preference: 10, exchange: mail)])
        #expect(try records("www.example.org", .a) == [.a(IPv4Address(0xC000_0201))])
        #expect(try records("mail.example.org", .aaaa) == [.aaaa(IPv6Address(high: 0x2001_0DB8 << 32, low: 1))])
        #expect(try records("example.org", .txt) == [.txt(Array("v=spf1 a:\"quoted\" \u{E4};-all".utf8))])
        #expect(try records("any.wild.example.org", .txt) == [.txt(Array("wildcard".utf8))])
        #expect(try records("1.2.0.192.in-addr.arpa", .ptr) == [.ptr(mail)])
        let empty = try zone.answer(DNSQuestion(DomainName("er.2.0.192.in-addr.arpa"), .txt)).get()
        #expect(empty.status == .noData)
        #expect(try zone.answer(DNSQuestion(mail, .a)).get().timeToLive == 600)
        #expect(try zone.answer(DNSQuestion(mail, .aaaa)).get().timeToLive == 3600)
    }

    @Test("what is wrong is named with its line")
    func errors() throws {
        let rows: [(String, Int)] = [
            ("a.example. IN A 192.0.2.1\nb.example. IN A 192.0.2.999\n", 2),
            ("a.example. IN MX ten mail.example.\n", 1), ("\n\nnonsense\n", 3),
            ("$INCLUDE other.zone\n", 1), ("nonsense", 1),
            ("a.example. IN A 192.0.2.1\nb.example. IN A 192.0.2.999", 2),
        ]
        for (text, line) in rows {
            let error = #expect(throws: ZoneFile.SyntaxError.self) { try Self.load(text) }
            #expect(error?.line == line)
            #expect(error?.reason.isEmpty == false)
        }
        let error = #expect(throws: ZoneFile.SyntaxError.self) { try ZoneFile.load(path: "/nonexistent/zone") }
        #expect(error?.description == "/nonexistent/zone: No such file or directory")
    }

    @Test("a directory can be opened, but not read")
    func directory() {
        let error = #expect(throws: ZoneFile.SyntaxError.self) { try ZoneFile.load(path: "/") }
        #expect(error?.description == "/: Is a directory")
    }
}
