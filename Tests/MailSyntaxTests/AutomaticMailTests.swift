import MailSyntax
import Testing

@Suite("Mail of programs")
struct AutomaticMailTests {
    @Test(
        "RFC 3834 § 5, RFC 9990 § 3.5.2: what says that a program sent it",
        arguments: [
            ("Subject: hello", false), ("Auto-Submitted: no", false), ("Auto-Submitted: (never) NO (really)", false),
            ("Auto-Submitted: no; owner-email=\"a@b\"", false), ("Auto-Submitted:\r\n no\r\n ", false),
            ("Auto-Submitted: auto-generated", true), ("auto-submitted: auto-replied; x=y", true),
            ("Auto-Submitted: nobody", true), ("Auto-Submitted: no thanks", true), ("Auto-Submitted: (no", true),
            ("Auto-Submitted:", true), ("Auto-Submitted-By: auto-generated", false),
            ("Subject: Report Domain: example.com Submitter: mx.example Report-ID: <a@b>", true),
            ("Subject: Report Domain: example.com\r\n Submitter: mx.example\r\n Report-ID: <a@b>", true),
            ("Subject: Report domain: example.com\tSubmitter: mx.example", true),
            ("Subject: Report Domain: example.com Submitter:", false), ("Subject: Report", false),
            ("Subject: Report Domain: example.com", false), ("Subject: Reports Domain: a Submitter: b", false),
            ("Subject: Re: Report Domain: example.com Submitter: mx.example", false), ("Subject:", false),
        ]
    )
    func says(_ field: String, _ isAutomatic: Bool) throws {
        let colon = try #require(field.firstIndex(of: ":"))
        var block = HeaderBlock()
        block.append(name: "From".utf8, value: " a@b.test".utf8)
        block.append(name: field[..<colon].utf8, value: field[field.index(after: colon)...].utf8)
        block.append(name: "Subject".utf8, value: " Report".utf8)
        #expect(block.isAutoSubmitted == isAutomatic)
    }
}
