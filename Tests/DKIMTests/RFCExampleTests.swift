import DKIM
import DNSLookup
import FoundationEssentials
import MailSyntax
import TestSupport
import Testing

/// Tests/Vectors/dkim: the examples of the RFCs, as they are and with one thing changed.
@Suite("The examples of RFC 6376 and RFC 8463")
struct RFCExampleTests {
    struct Example: Decodable, CustomTestStringConvertible {
        var name: String
        var message: String
        /// What is put in place of the first occurrence of what, one after the other.
        var changes: [[String]]
        /// A result for each signature, from the top.
        var expected: [String]
        var why: String
        var testDescription: String { name }

        func octets() throws -> [UInt8] {
            var text = String(decoding: try Vectors.read("dkim/" + message), as: UTF8.self)
            for change in changes {
                let from = try #require(change.first)
                let to = try #require(change.last)
                let range = try #require(text.firstRange(of: from), "\(name): '\(from)' is not in the message")
                text.replaceSubrange(range, with: to)
            }
            return [UInt8](text.utf8)
        }
    }

    static func read() throws -> [Example] {
        try JSONDecoder().decode([Example].self, from: Vectors.read("dkim/cases.json"))
    }

    @Test("all cases are there") func count() throws {
        #expect(try Self.read().count == 27)
    }

    @Test("every signature has the result expected", arguments: (try? read()) ?? [], [1, 2, 7, 65_535])
    func verifies(_ example: Example, chunk: Int) throws {
        let zone = try Verification.exampleZone(Vectors.read("dkim/dns.json"))
        let outcomes = Verification.outcomes(of: try example.octets(), zone: zone, chunk: chunk)
        #expect(outcomes.map(\.result.rawValue) == example.expected, "\(example.why); \(outcomes.map(\.problem))")
    }
}

@Suite("Further messages made of the examples", .published("dkim-rfc-examples"))
struct PublishedExampleTests {
    struct Example: Decodable, CustomTestStringConvertible {
        var file: String
        var expected: [String]
        var testDescription: String { file }
    }

    static func read() throws -> [Example] {
        try JSONDecoder().decode([Example].self, from: Corpora.read("dkim-rfc-examples/cases.json"))
    }

    @Test("all cases are there") func count() throws {
        #expect(try Self.read().count == 15)
    }

    @Test("every signature has the result expected", arguments: (try? read()) ?? [], [1, 2, 7, 65_535])
    func verifies(_ example: Example, chunk: Int) throws {
        let message = [UInt8](try Corpora.read("dkim-rfc-examples/" + example.file))
        let zone = try Verification.exampleZone(Corpora.read("dkim-rfc-examples/dns.json"))
        let outcomes = Verification.outcomes(of: message, zone: zone, chunk: chunk)
        #expect(outcomes.map(\.result.rawValue) == example.expected, "\(outcomes.map(\.problem))")
    }
}
