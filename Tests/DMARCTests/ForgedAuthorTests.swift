import DMARC
import DNSLookup
import FoundationEssentials
import MailSyntax
import Testing

/// Tests/Vectors/forged-authors.json: each case with the most that SPF and DKIM may grant.
@Suite("Messages with two authors")
struct ForgedAuthorTests {
    struct Vectors: Decodable {
        struct Case: Decodable {
            struct Authenticated: Decodable {
                var spf: String?
                var dkim: [String]
            }
            var id: String
            var fields: [String]
            var authenticated: Authenticated
            var dmarc: String
            var fromDomain: String?
        }
        var zone: [String]
        var cases: [Case]
    }

    private func vectors() throws -> Vectors {
        let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let data = try Data(contentsOf: URL(filePath: "/\(folder)/Vectors/forged-authors.json"))
        return try decoder.decode(Vectors.self, from: data)
    }

    @Test("nothing passes for a domain that did not vouch")
    func cases() async throws {
        let vectors = try vectors()
        var zone = DNSZone()
        for line in vectors.zone {
            let words = line.split(separator: " ", maxSplits: 2)
            zone.add(.txt(Array(words[2].utf8.dropFirst().dropLast())), at: try DomainName(String(words[0])))
        }
        #expect(vectors.cases.count == 19)
        for vector in vectors.cases {
            var block = HeaderBlock()
            for field in vector.fields {
                let parts = field.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1)
                block.append(name: parts[0], value: parts[1])
            }
            let outcome = await zone.evaluate(
                await zone.discover(AuthorIdentity(of: block)),
                spf: try vector.authenticated.spf.map { try DomainName($0) },
                dkim: try vector.authenticated.dkim.map { try DomainName($0) }
            )
            #expect(outcome.result.rawValue == vector.dmarc, "\(vector.id)")
            #expect(outcome.fromDomain?.description == vector.fromDomain, "\(vector.id)")
        }
    }

    @Test(
        "an author's domain that the DNS says nothing of may have asked for refusal",
        arguments: [
            ["a@bank.example", "b@evil.example"], ["b@evil.example", "a@bank.example"],
            ["a@bank.example, b@evil.example"], ["a@bank.example, b@[192.0.2.1]"],
        ]
    )
    func unanswered(_ authors: [String]) async throws {
        var block = HeaderBlock()
        for author in authors { block.append(name: Array("From".utf8), value: Array(author.utf8)) }
        var zone = DNSZone()
        let record = try DomainName("_dmarc.bank.example")
        zone.add(failure: .noRoom, at: record)
        #expect(try await result(block, zone) == .temperror)
        zone = DNSZone()
        zone.add(.txt(Array("v=DMARC1; p=reject".utf8)), at: record)
        #expect(try await result(block, zone) == .fail)
    }

    private func result(_ block: HeaderBlock, _ zone: DNSZone) async throws -> DMARCResult {
        let discovery = await zone.discover(AuthorIdentity(of: block))
        return await zone.evaluate(discovery, spf: try DomainName("evil.example"), dkim: []).result
    }
}
