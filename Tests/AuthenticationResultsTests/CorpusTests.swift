import AuthenticationResults
import FoundationEssentials
import MailSyntax
import TestSupport
import Testing

@Suite("The RFCs' examples of Authentication-Results")
struct CorpusTests {
    struct Example: Decodable, CustomTestStringConvertible {
        struct Result: Decodable {
            struct Property: Decodable {
                var ptype: String
                var property: String
                var value: String
            }
            var method: String
            var methodVersion: Int?
            var result: String
            var reason: String?
            var comment: String?
            var props: [Property]
        }
        var id: String
        var header: String
        var authservId: String
        var version: Int?
        var results: [Result]
        var testDescription: String { id }

        static func all() throws -> [Example] {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode([Example].self, from: Corpora.read("authres-rfc8601/examples.json"))
        }

        var field: AuthenticationResultsField {
            let results = results.map { result in
                var value = MethodResult(
                    result.method,
                    result.result,
                    reason: result.reason.map { Octets($0) },
                    comment: result.comment.map { Octets($0) },
                    properties: result.props.map { .init($0.ptype, $0.property, Octets($0.value)) }
                )
                value.methodVersion = result.methodVersion
                return value
            }
            return AuthenticationResultsField(authservID: Octets(authservId), version: version, results: results)
        }
    }

    @Test("RFC 8601 appendix B and its like are read, written and read again")
    func examples() throws {
        let examples = try Example.all()
        #expect(examples.count == 13)
        for example in examples {
            let value = Octets(example.header).drop { $0 != UInt8(ascii: ":") }.dropFirst()
            #expect(try AuthenticationResultsField(parsing: value) == example.field, "\(example.id)")
            let written = example.field.value(lineEnd: "\r\n", comments: true)
            #expect(try AuthenticationResultsField(parsing: written[...]) == example.field, "\(example.id)")
            #expect(AuthenticationResultsField.belongs(to: Octets(example.authservId.uppercased()), value: value))
            #expect(!AuthenticationResultsField.belongs(to: Octets("other.example"), value: value))
        }
    }
}
