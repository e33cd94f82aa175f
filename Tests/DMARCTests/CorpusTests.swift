import DMARC
import DNSLookup
import FoundationEssentials
import MailSyntax
import TestSupport
import Testing

/// Tests/Vectors/dmarc, and the suites of the same form among the published ones.
@Suite("RFC 9989's examples, section by section")
struct CorpusTests {
    @Test("appendix B.2, § 4.7, § 4.8: records")
    func records() throws {
        try DMARCVectors.expectSame(records: Vectors.read("dmarc/records.json"), count: 11)
    }

    @Test("§ 4.10, § 5.3.4 and appendix B: evaluations")
    func evaluations() async throws {
        try await DMARCVectors.expectSame(evaluations: Vectors.read("dmarc/evaluations.json"), count: 26)
    }
}

@Suite("Further examples of RFC 9989", .published("dmarc-rfc9989-examples"))
struct PublishedExampleTests {
    @Test("records")
    func records() throws {
        try DMARCVectors.expectSame(records: Corpora.read("dmarc-rfc9989-examples/records.json"), count: 7)
    }

    @Test("evaluations")
    func evaluations() async throws {
        try await DMARCVectors.expectSame(
            evaluations: Corpora.read("dmarc-rfc9989-examples/evaluation.json"),
            count: 14
        )
    }
}

@Suite("publicsuffix.org's vectors", .published("public-suffix-list"))
struct PublishedSuffixTests {
    @Test("every vector")
    func publicSuffixes() throws {
        let list = try #require(PublicSuffixList(path: Corpora.path("public-suffix-list/public_suffix_list.dat")))
        var count = 0
        for line in Octets(String(decoding: try Corpora.read("public-suffix-list/tests.txt"), as: UTF8.self)).split(
            separator: 0x0A
        ) where !line.starts(with: "//".utf8) {
            let words = line.split(separator: 0x20)
            guard words.count == 2 else { continue }
            count += 1
            let name = try? DomainName(unicode: words[0])
            let expected = words[1].text == "null" ? nil : try DomainName(unicode: words[1])
            // Names with a leading dot, or none at all, are no domain names.
            #expect(name.flatMap(list.registrableDomain) == expected, "\(line.text)")
        }
        #expect(count == 78)
    }
}

/// What the files of vectors hold, and how it is checked.
private enum DMARCVectors {
    struct Evaluation: Decodable {
        struct Identifier: Decodable {
            var result: String
            var domain: String
        }
        struct Modes: Decodable {
            var relaxed: Bool
            var strict: Bool
        }
        var id: String
        var authorDomain: String
        var zone: [String: String]
        var spf: Identifier?
        var dkim: [Identifier]?
        var spfAligned: Modes?
        var dkimAligned: Modes?
        var orgDomain: [String: String]?
        var policyDomain: String?
        var queries: [String: [String]]?
        var dmarc: String?
    }

    struct Record: Decodable {
        struct Tags: Decodable {
            var p: String?
            var t: String?
            var rua: [String]?
            var ruf: [String]?
        }
        var id: String
        var txt: [String]
        var parsed: Tags
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ file: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: file)
    }

    static func expectSame(records file: Data, count: Int) throws {
        let records = try decode([Record].self, file)
        #expect(records.count == count)
        for example in records {
            let record = try #require(DMARCRecord(Octets(example.txt.joined())), "\(example.id)")
            #expect(record.policy?.rawValue == example.parsed.p, "\(example.id)")
            #expect(record.isTesting == (example.parsed.t == "y"), "\(example.id)")
            #expect(record.aggregateReportURIs.map(\.text) == example.parsed.rua ?? [], "\(example.id)")
            #expect(record.failureReportURIs.map(\.text) == example.parsed.ruf ?? [], "\(example.id)")
        }
    }

    private static func zone(_ texts: [String: String], adding tags: String = "") throws -> DNSZone {
        var zone = DNSZone()
        for (name, text) in texts { zone.add(.txt(Array((text + tags).utf8)), at: try DomainName(name)) }
        return zone
    }

    private static func domains(_ identifiers: [Evaluation.Identifier]) throws -> [DomainName] {
        try identifiers.filter { $0.result == "pass" }.map { try DomainName($0.domain) }
    }

    private static func outcome(
        _ example: Evaluation,
        tags: String = "",
        spf: Bool = true,
        dkim: Bool = true
    ) async throws -> DMARCOutcome {
        let zone = try zone(example.zone, adding: tags)
        return await zone.evaluate(
            await zone.discover(try DomainName(example.authorDomain)),
            spf: spf ? try example.spf.map { try domains([$0]) }?.first : nil,
            dkim: dkim ? try domains(example.dkim ?? []) : []
        )
    }

    static func expectSame(evaluations file: Data, count: Int) async throws {
        let examples = try decode([Evaluation].self, file)
        #expect(examples.count == count)
        for example in examples {
            let outcome = try await outcome(example)
            if let expected = example.dmarc { #expect(outcome.result.rawValue == expected, "\(example.id)") }
            if let expected = example.policyDomain {
                #expect(outcome.policyDomain?.description == expected, "\(example.id)")
            }
            for (domain, expected) in example.orgDomain ?? [:] {
                var own = example
                own.authorDomain = domain
                let found = try await self.outcome(own, spf: false, dkim: false).organizationalDomain
                #expect(found?.description == expected, "\(example.id): \(domain)")
            }
            for (domain, expected) in example.queries ?? [:] {
                var own = example
                own.authorDomain = domain
                let walk = try await self.outcome(own, spf: false, dkim: false).trace.first
                #expect(walk?.steps.map { "_dmarc.\($0.domain)" } == expected, "\(example.id): \(domain)")
            }
            for (modes, mechanism) in [(example.spfAligned, DMARCMechanism.spf), (example.dkimAligned, .dkim)] {
                guard let modes else { continue }
                for (tags, expected) in [("; aspf=r; adkim=r", modes.relaxed), ("; aspf=s; adkim=s", modes.strict)] {
                    let outcome = try await self.outcome(
                        example,
                        tags: tags,
                        spf: mechanism == .spf,
                        dkim: mechanism == .dkim
                    )
                    #expect(outcome.aligned == (expected ? [mechanism] : []), "\(example.id) \(tags)")
                }
            }
        }
    }
}
