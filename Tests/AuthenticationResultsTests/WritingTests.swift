import AuthenticationResults
import MailSyntax
import Testing

@Suite("Writing Authentication-Results")
struct WritingTests {
    typealias Property = MethodResult.Property

    private func written(_ results: [MethodResult], version: Int? = nil, comments: Bool = false) -> String {
        let field = AuthenticationResultsField(authservID: Octets("mx.example.org"), version: version, results: results)
        return Octets(field.value(comments: comments)).text
    }

    @Test("RFC 8601 § 2.2: one result a line, folded with LF and tab")
    func shape() {
        let results = [
            MethodResult("spf", "pass", properties: [Property("smtp", "mailfrom", Octets("a@example.com"))]),
            MethodResult(
                "dkim",
                "pass",
                properties: [
                    Property("header", "d", Octets("example.com")), Property("header", "i", Octets("@example.com")),
                    Property("header", "s", Octets("s")), Property("header", "a", Octets("rsa-sha256")),
                    Property("header", "b", Octets("AbCdEf12345")),
                ]
            ),
            MethodResult(
                "dmarc",
                "pass",
                properties: [
                    Property("header", "from", Octets("example.com")), Property("policy", "dmarc", Octets("reject")),
                ]
            ),
        ]
        let expected = """
            mx.example.org;
            \tspf=pass smtp.mailfrom=a@example.com;
            \tdkim=pass header.d=example.com header.i=@example.com header.s=s
            \theader.a=rsa-sha256 header.b=AbCdEf12;
            \tdmarc=pass header.from=example.com policy.dmarc=reject
            """
        #expect(written(results) == expected)
    }

    @Test("RFC 8601 § 2.2: no result, version, reason, comment")
    func parts() {
        #expect(written([]) == "mx.example.org; none")
        #expect(written([], version: 1) == "mx.example.org 1; none")
        let result = MethodResult("dkim", "fail", reason: Octets("bad \"sig\"\r\n"), comment: Octets("a(b)\\"))
        #expect(written([result]) == "mx.example.org;\n\tdkim=fail reason=\"bad \\\"sig\\\"??\"")
        #expect(written([result], comments: true).contains("fail (a\\(b\\)\\\\) reason="))
        #expect(written([MethodResult("dkim=pass x", "fail"), MethodResult("spf", "a;b")]) == "mx.example.org; none")
    }

    @Test(
        "RFC 8601 § 2.2: values as tokens, addresses, quoted strings, or not at all",
        arguments: [
            ("example.com", "example.com"), ("a@example.com", "a@example.com"), ("@example.com", "@example.com"),
            ("a=b/c?@example.com", "a=b/c?@example.com"), ("\"a b\"@example.com", "\"\\\"a b\\\"@example.com\""),
            ("a@b c", "\"a@b c\""), ("a@", "\"a@\""), ("a@-b.c", "\"a@-b.c\""), ("2001:db8::1", "\"2001:db8::1\""),
            ("", "\"\""), ("a;b", "\"a;b\""), ("a(b", "\"a(b\""), ("a\"b\\", "\"a\\\"b\\\\\""), ("x/y==", "\"x/y==\""),
            ("jö@exämple.com", "jö@exämple.com"), ("ö", "\"ö\""), ("a b@example.com", "\"a b@example.com\""),
            ("a\r\nb", nil), ("a\nb", nil), ("a\u{0}b", nil), ("a\tb", nil), ("a\u{7F}", nil), ("a\u{85}b", nil),
            ("a\u{2028}b", nil), ("a\u{202E}b", nil), ("a\u{200B}b", nil), (String(repeating: "a", count: 321), nil),
            (String(repeating: "a", count: 320), String(repeating: "a", count: 320)),
        ] as [(String, String?)]
    )
    func values(text: String, expected: String?) {
        let result = MethodResult("spf", "pass", properties: [Property("smtp", "helo", Octets(text))])
        #expect(FieldText.propertyValue(Octets(text)).map { Octets($0).text } == expected)
        let property =
            text.isEmpty ? "" : expected.map { ($0.utf8.count > 50 ? "\n\t" : " ") + "smtp.helo=\($0)" } ?? ""
        #expect(written([result]) == "mx.example.org;\n\tspf=pass\(property)")
    }

    @Test("octets that are no UTF-8 are not written")
    func notUTF8() {
        #expect(FieldText.propertyValue([0x61, 0xFF]) == nil)
        #expect(FieldText.printable([0x61, 0xC3], limit: 9) == Array("a?".utf8))
    }

    @Test("RFC 6008 § 4: header.b is as long as it takes to be unique")
    func signatures() {
        let signatures = ["abcdefghijkl", "abcdefghiXkl", "abcdefghijkX", "zzzz", "abcdefghijkl", "b/cdefghijkl"]
        let results = signatures.map {
            MethodResult("dkim", "pass", properties: [Property("header", "b", Octets($0))])
        }
        let lines = written(results).split(separator: "\n").dropFirst()
        let expected = ["abcdefghijkl", "abcdefghiX", "abcdefghijkX", "zzzz", "abcdefghijkl", "\"b/cdefgh\""]
        #expect(lines.map { $0.split(separator: ";")[0] } == expected.map { "\tdkim=pass header.b=\($0)" })
    }

    @Test(
        "log values",
        arguments: [
            ("<a@b.test>", "<a@b.test>"), ("a b", "\"a b\""), ("", "\"\""),
            ("x action=accept", "\"x action=accept\""), ("a\n\"b", "\"a?\\\"b\""),
        ]
    )
    func logValue(_ text: String, _ expected: String) {
        var line = [UInt8]()
        FieldText.appendLogValue(Octets(text), to: &line)
        #expect(line[...].text == expected)
    }

    @Test("replies and comments")
    func others() {
        #expect(Octets(FieldText.replyText(Octets("ä\r\n250 ok"), limit: 8)).text == "????250 ")
        #expect(Octets(FieldText.printable(Octets("aä"), limit: 2)).text == "a?")
    }
}
