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

    @Test(
        "RFC 8601 § 5: fields that claim to be ours",
        arguments: [
            "mx.example.org; spf=pass", "MX.Example.ORG; spf=pass", " mx.example.org; none",
            "\r\n\tmx.example.org; none",
            "\"mx.example.org\"; spf=pass", "\"mx.ex\\ample.org\"; spf=pass", "(c) mx.example.org (d) 1; spf=pass",
            "((a)b(\\)c)) mx.example.org; spf=pass", "mx.example.org 1; spf=pass", "mx.example.org 2; what",
            "mx.example.org/1; spf=pass", "mx.example.org", "mx.example.org;", "mx.example.org (", "mx.example.org \"",
            "mx.example.org;;;", "mx.example.org\r\n (x)\r\n ; spf=pass", "(c)mx.example.org(d); spf=pass",
            "mx.example(c).org; spf=pass", "mx.example.org.; spf=pass", "mx.example.org, spf=pass",
            "mx.example.org=x", "mx.example.org:", "\u{0}mx.example.org;", "\"mx.example.org; spf=pass",
            "(mx.example.org; spf=pass", "mx.example.org\u{0};", "\"mx.example.org\" 1; spf=pass",
            "\"mx.\\example.org\"5; spf=pass", "mx.example.org\"x\"; spf=pass", "(c)\"mx.example.org\"5; none",
            "mx.exam\"ple.org\"; spf=pass",
            // The name alone between semicolons, but not first.
            "i=1; mx.example.org; spf=pass", "spf=pass; mx.example.org; dkim=pass", "a.test; mx.example.org",
            "a.test; MX.Example.ORG ; spf=pass", ";mx.example.org;", "a.test;\r\n\tmx.example.org;\r\n\tdkim=pass",
            "a.test; \"mx.example.org\" 1; spf=pass", "a.test; (c) mx.example.org (d) ; spf=pass",
            "a.test; mx.ex(c)ample.org; spf=pass", "a.test; (x; mx.example.org; spf=pass", "a.test;; mx.example.org.;",
            "a.test; x=\"; mx.example.org; spf=pass\"",
        ]
    )
    func ours(value: String) {
        #expect(AuthenticationResultsField.belongs(to: Octets("mx.example.org"), value: Octets(value)))
    }

    @Test(
        "RFC 8601 § 5: fields of others",
        arguments: [
            "", ";", "mx.example.net; spf=pass", "mx.example.org.evil.test; spf=pass", "xmx.example.org; spf=pass",
            "mx.example.org2; spf=pass", "mx.example.org-x; spf=pass", "mx.example.org_x; spf=pass",
            "x mx.example.org; spf=pass", "a.test; x=mx.example.org", "example.org; spf=pass", "mx example.org",
            "(mx.example.org) a.test; spf=pass", "mx.example.orgä; spf=pass",
            // The name as a part of what others say.
            "a.test; dkim=pass header.d=mx.example.org; spf=pass", "a.test; spf=pass smtp.helo=mx.example.org",
            "a.test; spf=pass (mx.example.org: says so); dkim=none", "a.test; spf=pass (a; mx.example.org; b)",
            "a.test; xmx.example.org; spf=pass", "a.test; mx.example.org.evil.test; spf=pass",
            "a.test; mx.example.org smtp.helo=x", "a.test; x=\"mx.example.org\"", "a.test; mx.example.net; spf=pass",
        ]
    )
    func foreign(value: String) {
        #expect(!AuthenticationResultsField.belongs(to: Octets("mx.example.org"), value: Octets(value)))
    }

    @Test("RFC 8601 § 5: A-labels and U-labels are compared")
    func internationalized() {
        let value = Octets("mx.EXÄMPLE.org; spf=pass")
        #expect(AuthenticationResultsField.belongs(to: Octets("mx.xn--exmple-cua.org"), value: value))
        #expect(
            AuthenticationResultsField.belongs(to: Octets("mx.exämple.org"), value: Octets("mx.xn--exmple-cua.org;"))
        )
        #expect(
            AuthenticationResultsField.belongs(to: Octets("mx.xn--exmple-cua.org"), value: Octets("1; mx.exämple.org;"))
        )
        #expect(!AuthenticationResultsField.belongs(to: Octets("mx.xn--exmple-cua.net"), value: value))
    }

    @Test("a service's name may hold anything a value can")
    func oddNames() {
        #expect(AuthenticationResultsField.belongs(to: Octets("a b/c"), value: Octets("\"a b/c\"; none")))
        #expect(!AuthenticationResultsField.belongs(to: Octets("a b/c"), value: Octets("\"a b/cd\"; none")))
    }
}
