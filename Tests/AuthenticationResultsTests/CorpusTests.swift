import AuthenticationResults
import FoundationEssentials
import MailSyntax
import TestSupport
import Testing

@Suite("The RFCs' examples of Authentication-Results")
struct CorpusTests {
    @Test("each is read, written and read again")
    func examples() throws {
        try Example.expectSame(Vectors.read("authentication-results/fields.json"), count: 18)
    }
}

@Suite("Further examples of Authentication-Results", .published("authres-rfc8601"))
struct PublishedExampleTests {
    @Test("each is read, written and read again")
    func examples() throws {
        try Example.expectSame(Corpora.read("authres-rfc8601/examples.json"), count: 13)
    }
}

/// A field, and what it says.
private struct Example: Decodable, CustomTestStringConvertible {
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

    static func expectSame(_ file: Data, count: Int) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let examples = try decoder.decode([Example].self, from: file)
        #expect(examples.count == count)
        for example in examples {
            let value = Octets(example.header).drop { $0 != UInt8(ascii: ":") }.dropFirst()
            #expect(try AuthenticationResultsField(parsing: value) == example.field, "\(example.id)")
            let written = example.field.value(lineEnd: "\r\n", comments: true)
            #expect(try AuthenticationResultsField(parsing: written[...]) == example.field, "\(example.id)")
            #expect(AuthenticationResultsField.belongs(to: Octets(example.authservId.uppercased()), value: value))
            #expect(!AuthenticationResultsField.belongs(to: Octets("other.example"), value: value))
        }
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
