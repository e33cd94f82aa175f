import DKIM
import FoundationEssentials
import MailSyntax
import TestSupport
import Testing

@Suite("The examples of RFC 6376 and RFC 8463")
struct RFCExampleTests {
    struct Example: Decodable, CustomTestStringConvertible {
        var file: String
        var expected: [String]
        var testDescription: String { file }
    }

    static let examples: [Example] = {
        let data = try? Corpora.read("dkim-rfc-examples/cases.json")
        return data.flatMap { try? JSONDecoder().decode([Example].self, from: $0) } ?? []
    }()

    @Test("The corpus is there") func corpus() throws {
        _ = try Corpora.read("dkim-rfc-examples/cases.json")
        #expect(Self.examples.count == 15)
    }

    @Test("Every signature has the result expected", arguments: examples, [1, 2, 7, 65_535])
    func verifies(_ example: Example, chunk: Int) throws {
        let message = [UInt8](try Corpora.read("dkim-rfc-examples/" + example.file))
        let outcomes = Verification.outcomes(of: message, zone: try Verification.exampleZone(), chunk: chunk)
        #expect(outcomes.map(\.result.rawValue) == example.expected, "\(outcomes.map(\.problem))")
    }
}
