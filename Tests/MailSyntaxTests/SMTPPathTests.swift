import MailSyntax
import Testing

@Suite("Paths")
struct SMTPPathTests {
    @Test(
        "RFC 5321 § 4.1.2: the mailbox of a path",
        arguments: [
            ("<a@example.com>", "a@example.com"), ("a@example.com", "a@example.com"), ("<>", ""), ("", ""),
            (" <a@example.com> ", "a@example.com"), ("<@one.example,@two.example:a@example.com>", "a@example.com"),
            ("<\"a:b\"@example.com>", "\"a:b\"@example.com"), ("<Postmaster>", "Postmaster"), ("<", "<"), (">", ">"),
            ("<@nobody>", "@nobody"),
        ]
    )
    func mailbox(_ path: String, _ mailbox: String) {
        #expect(SMTPPath(Octets(path)).mailbox.text == mailbox)
    }

    @Test(
        "RFC 4405 § 4.2: the SUBMITTER parameter",
        arguments: [
            (["SIZE=10", "SUBMITTER=a@example.com"], "a@example.com"), (["submitter=a"], "a"), (["SIZE=10"], nil),
            (["XSUBMITTER=a"], nil), (["SUBMITTER="], ""), ([], nil),
        ] as [([String], String?)]
    )
    func submitter(_ parameters: [String], _ value: String?) {
        #expect(SMTPPath.submitter(in: parameters.map { Octets($0) }).map { $0[...].text } == value)
    }

    @Test(
        "RFC 5321 § 4.1.2: the @ between the local-part and the domain of a mailbox",
        arguments: [
            ("a@example.com", 1), ("a@b@example.com", 3), ("\"a@b\"@example.com", 5), ("\"a\\\"@b\"@example.com", 7),
            ("\"a@example.com", 2), ("\"a\"b@example.com", 4), ("\"a\"@b@example.com", 3), ("a", nil), ("", nil),
        ] as [(String, Int?)]
    )
    func separator(_ mailbox: String, _ place: Int?) {
        #expect(Octets(mailbox).separatorOfMailbox == place)
    }
}
