import AuthenticationResults
import MailSyntax
import Testing

@Suite("Reading Authentication-Results")
struct ReadingTests {
    @Test(
        "RFC 8601 § 2.2: what is no field",
        arguments: [
            ("", .empty), ("mx.test", .empty), ("mx.test;", .empty), ("; spf=pass", .empty),
            ("mx.test spf=pass", .unexpected),
            ("mx.test; spf", .unexpected), ("mx.test; spf=", .unexpected), ("mx.test; =pass", .unexpected),
            ("mx.test; spf/x=pass", .unexpected), ("mx.test; spf=pass smtp", .unexpected),
            ("mx.test; spf=pass smtp.helo", .unexpected), ("mx.test; spf=pass smtp.helo=", .unexpected),
            ("mx.test; spf=pass smtp.helo=\"a", .unterminated), ("mx.test (; spf=pass", .unterminated),
            ("mx.test 99999999999999999999; none", .unexpected), ("mx.test; none; none", .unexpected),
            ("mx.test;\r\nspf=pass", .forbiddenOctet), ("\"a\u{0}\"; none", .forbiddenOctet),
            ("mx.test" + String(repeating: "; spf=pass", count: 257), .tooMany),
            ("mx.test; spf=pass" + String(repeating: " a.b=c", count: 257), .tooMany),
        ] as [(String, StructuredFieldError)]
    )
    func refused(value: String, error: StructuredFieldError) {
        #expect(throws: error) { try AuthenticationResultsField(parsing: Octets(value)) }
    }

    @Test("what is read beyond the grammar")
    func lenient() throws {
        let value = "\"mx test\" ; iprev=pass policy.iprev=2001:db8::1; spf=PASS smtp.mailfrom=\"a b\"@c.test ;"
        let field = try AuthenticationResultsField(parsing: Octets(value))
        #expect(field.authservID.text == "mx test")
        #expect(field.results.map(\.result) == ["pass", "pass"])
        #expect(field.results.map { $0.properties[0].value.text } == ["2001:db8::1", "\"a b\"@c.test"])
    }
}
