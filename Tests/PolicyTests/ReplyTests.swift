import MailSyntax
import Policy
import PosternConfiguration
import Testing

@Suite("Replies")
struct ReplyTests {
    /// The reply to a message by one rule.
    private func reply(_ when: String, _ facts: String, more: String = "", action: String = "reject") throws -> String?
    {
        let rules = PolicyTable.rule("the-rule", when, action, more)
        let engine = PolicyEngine(rules: try Configuration.parse(rules, file: "t").rules, mode: .enforce)
        let words = facts.split(separator: " ").map(String.init)
        return engine.judge(try FactsText.facts(words, atEnd: true), engine.kinds(of: FactsText.recipients(words)))
            .reply?.description
    }

    @Test(
        "standard texts",
        arguments: [
            (
                "{ spf = \"fail\" }", "spf=fail",
                "550 5.7.23 SPF fail: 192.0.2.1 is not permitted to send mail for example.com"
            ),
            (
                "{ spf = \"fail\" }", "spf=fail explains=See_http://example.com/why",
                "550 5.7.23 SPF fail: 192.0.2.1 is not permitted to send mail for example.com; "
                    + "example.com explains: \"See http://example.com/why\""
            ),
            (
                "{ spf = \"fail\" }", "spf=fail from=<>",
                "550 5.7.23 SPF fail: 192.0.2.1 is not permitted to send mail for mail.example.com"
            ),
            (
                "{ spf = \"permerror\" }", "spf=permerror",
                "550 5.7.24 SPF permerror: the record of example.com could not be evaluated"
            ),
            (
                "{ sender_id = \"fail\" }", "sender_id=fail",
                "550 5.7.1 Sender ID (PRA) fail: 192.0.2.1 is not permitted to send mail for example.com"
            ),
            ("{ dkim = \"none\" }", "dkim=none", "550 5.7.20 No passing DKIM signature: dkim=none"),
            (
                "{ dkim_aligned = \"none\" }", "aligned=none",
                "550 5.7.22 No valid DKIM signature by the author's domain"
            ),
            ("{ iprev = \"fail\" }", "iprev=fail", "550 5.7.25 Reverse DNS fail for 192.0.2.1"),
            ("{ dmarc = \"fail\" }", "dmarc=fail", "550 5.7.1 DMARC fail for example.com"),
            (
                "{ spf = \"fail\", dkim = \"none\" }", "spf=fail dkim=none",
                "550 5.7.26 Several authentication checks failed: spf=fail dkim=none"
            ),
            ("{ helo = \"mail.example.com\" }", "spf=fail", "550 5.7.1 Refused by local policy"),
        ]
    )
    func standard(_ when: String, _ facts: String, _ expected: String) throws {
        #expect(try reply(when, facts) == expected)
    }

    @Test("every placeholder is filled")
    func placeholders() throws {
        let names = ReplyPlaceholder.allCases.map { "\($0.rawValue)={\($0.rawValue)}" }.joined(separator: " ")
        let text = try reply("{ spf = \"fail\" }", "spf=fail explains=No", more: "reply = '550 5.7.1 \(names)'")
        #expect(
            text == """
                550 5.7.1 explanation="No" client=192.0.2.1 helo=mail.example.com sender=<a@example.com> \
                domain=example.com pra=unknown from=unknown recipient=<b@example.net> rule=the-rule spf=fail \
                sender_id=unknown dkim=unknown dmarc=unknown arc=unknown iprev=pass
                """
        )
    }

    @Test(
        "text from the network stays one bounded, printable, quoted line",
        arguments: [
            "\r\n250 OK", "a\u{0}b", "\"; rm", "\\\"", String(repeating: "x", count: 2000), "é\u{202E}", "%n%s{client}",
            "\t \t",
        ]
    )
    func hostile(_ text: String) throws {
        let rules = PolicyTable.rule(
            "r",
            "{ spf = \"fail\" }",
            "reject",
            "reply = '550 5.7.1 {explanation} {helo} {sender} {domain} {recipient}'"
        )
        let engine = PolicyEngine(rules: try Configuration.parse(rules, file: "t").rules, mode: .enforce)
        var facts = PolicyFacts()
        facts.results.spf = .fail
        facts.explanation = text
        facts.senderIDExplanation = text
        facts.helo = text
        facts.mailFrom = MailAddress(text + "@" + text)
        let reply = try #require(engine.judge(facts, engine.kinds(of: [MailAddress(text)])).reply)
        #expect(reply.text.utf8.allSatisfy { (0x20...0x7E).contains($0) })
        #expect(reply.description.utf8.count <= 512)
        if text.utf8.count < 50 {
            #expect(reply.text.utf8.filter { $0 == UInt8(ascii: "\"") }.count % 2 == 0)
            #expect(!reply.text.contains("\\"))
        }
    }

    @Test("a quarantine's reason is short and printable")
    func quarantine() throws {
        let rules = PolicyTable.rule(String(repeating: "q", count: 64), "{}", "quarantine")
        let engine = PolicyEngine(rules: try Configuration.parse(rules, file: "t").rules, mode: .enforce)
        let reason = engine.judge(PolicyFacts(), RecipientKinds()).quarantineReason
        #expect(reason == "postern: " + String(repeating: "q", count: 64))
    }
}
