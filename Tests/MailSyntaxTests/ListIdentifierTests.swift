import MailSyntax
import Testing

@Suite("List-Id")
struct ListIdentifierTests {
    @Test(
        "RFC 2919 § 3: the identifier of a list",
        arguments: [
            (" List Header Mailing List <list-header.nisto.com>", "list-header.nisto.com"),
            (" <commonspace-users.list-id.within.com>", "commonspace-users.list-id.within.com"),
            (
                " \"Lena's <Personal> Joke List\"\r\n <lenas-jokes.da39efc25c530ad145d41b86f7420c3b.021999.localhost>",
                "lenas-jokes.da39efc25c530ad145d41b86f7420c3b.021999.localhost"
            ),
            (" (comment <a.example>) <A.Example> (more)", "a.example"),
            (" <a+b_c.example.org>", "a+b_c.example.org"),
            // Readers would differ about these.
            (" a.example", nil), (" <a.example", nil), (" <a.example> <b.example>", nil), (" <a.example>b", nil),
            (" <a example>", nil), (" <>", nil), (" <list>", nil), (" \"a <a.example>", nil), (" <a..example>", nil),
            ("", nil),
        ] as [(String, String?)]
    )
    func identifier(_ value: String, _ expected: String?) throws {
        let name = try expected.map { try DomainName($0) }
        #expect(DomainName(listID: Octets(value)) == name)
    }
}
