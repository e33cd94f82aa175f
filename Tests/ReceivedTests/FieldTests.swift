import FoundationEssentials
import MailSyntax
import Received
import TestSupport
import Testing

/// Tests/Vectors/received: fields as servers write them, and as those would like them who want to be somebody else.
@Suite("Received fields by their formats")
struct FieldTests {
    struct Case: Decodable, CustomTestStringConvertible {
        var name: String
        var value: String
        var client: String?
        var helo: String?
        var host: String?
        var problem: String?
        var testDescription: String { name }
    }

    static func read() throws -> [Case] {
        try JSONDecoder().decode([Case].self, from: Vectors.read("received/fields.json"))
    }

    @Test("all cases are there") func count() throws {
        #expect(try Self.read().count == 110)
    }

    @Test("each says who handed the message to whom, or what is wrong", arguments: (try? read()) ?? [])
    func reads(_ vector: Case) {
        do throws(ReceivedProblem) {
            let field = try ReceivedField(parsing: Octets(vector.value))
            #expect(field.client.description == vector.client)
            #expect(field.helo[...].text == vector.helo)
            #expect(field.host.description == vector.host?.lowercased())
        } catch {
            #expect("\(error)" == ReceivedProblem.allCases.first { $0.name == vector.problem }?.description)
            #expect(error.name == vector.problem)
        }
    }

    @Test("a field that is cut anywhere never names another client", arguments: (try? read()) ?? [])
    func cut(_ vector: Case) {
        let octets = Octets(vector.value)
        for end in octets.indices.prefix(600) {
            guard let field = try? ReceivedField(parsing: octets[..<end]), vector.client != nil else { continue }
            #expect(field.client.description == vector.client, "\(octets[..<end].text)")
        }
    }
}

extension ReceivedProblem {
    fileprivate var name: String {
        switch self {
        case .tooLong: "tooLong"
        case .malformed: "malformed"
        case .ambiguous: "ambiguous"
        case .noClient: "noClient"
        case .noAddress: "noAddress"
        case .noHost: "noHost"
        }
    }
}
