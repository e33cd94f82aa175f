import ARC
import DNSLookup
import FoundationEssentials
import TestSupport
import Testing

/// Tests/Vectors/arc: chains of three sealers, as they are and with one thing changed.
@Suite("RFC 8617, section by section")
struct VectorTests {
    struct Case: Decodable, CustomTestStringConvertible {
        var name: String
        var message: String
        /// What is put in place of the first occurrence of what, one after the other.
        var changes: [[String]]
        var result: String
        var instances: Int
        var oldestPass: Int?
        var problem: String?
        var why: String
        var testDescription: String { name }

        func octets() throws -> [UInt8] {
            var text = String(decoding: try Vectors.read("arc/" + message), as: UTF8.self)
            for change in changes {
                let from = try #require(change.first)
                let to = try #require(change.last)
                let range = try #require(text.firstRange(of: from), "\(name): '\(from)' is not in the message")
                text.replaceSubrange(range, with: to)
            }
            return [UInt8](text.utf8)
        }
    }

    static func read() throws -> [Case] {
        try JSONDecoder().decode([Case].self, from: Vectors.read("arc/cases.json"))
    }

    @Test("all cases are there") func count() throws {
        #expect(try Self.read().count == 33)
    }

    @Test("every chain has the result expected", arguments: (try? read()) ?? [], [1, 7, 65_535])
    func verifies(_ vector: Case, chunk: Int) async throws {
        let zone = try Verification.zone(Vectors.read("arc/dns.json"))
        for outcome in [
            await Verification.outcome(of: try vector.octets(), zone, chunk: chunk),
            await Verification.outcome(of: try vector.octets(), Asked(zone), chunk: chunk),
        ] {
            #expect(outcome.result.rawValue == vector.result, "\(vector.why); \(outcome.trace)")
            #expect(outcome.problem?.description == vector.problem)
            #expect(outcome.instances == vector.instances)
            #expect(outcome.oldestPass == vector.oldestPass)
        }
    }
}
