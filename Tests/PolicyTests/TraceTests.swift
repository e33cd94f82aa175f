import Policy
import PosternConfiguration
import Testing

@Suite("Explanations")
struct TraceTests {
    private static let rules = """
        [[rules]]
        name = "partner"
        when = { clients = "198.51.100.0/24" }
        action = "accept"

        [[rules]]
        name = "strict"
        when = { spf = ["fail", "softfail"], recipient_domains = "example.net" }
        unless = [ { client_names = ".forwarder.example" }, { dkim_domains = "list.example" } ]
        action = "reject"

        [[rules]]
        name = "rest"
        when = { dmarc = "fail" }
        action = "junk"
        """

    private func explain(_ facts: String, rules: String = Self.rules) throws -> String {
        let engine = PolicyEngine(rules: try Configuration.parse(rules, file: "p.toml").rules, mode: .observe)
        let words = facts.split(separator: " ").map(String.init)
        let recipients = engine.kinds(of: FactsText.recipients(words))
        let explanations = engine.explain(try FactsText.facts(words, atEnd: true), recipients)
        return explanations.flatMap(\.rules).map(\.description).joined(separator: "\n")
    }

    @Test("each rule with its conditions, their values and lines, up to the one that decides")
    func decided() throws {
        #expect(
            try explain("spf=softfail names=a.example dmarc=fail") == """
                partner, p.toml:1: accept: does not match
                    no  line 3: clients = "198.51.100.0/24"; it is 192.0.2.1
                strict, p.toml:6: reject: MATCHES AND DECIDES
                    yes line 8: spf = ["fail", "softfail"]; it is softfail
                    yes line 8: recipient_domains = "example.net"; it is example.net
                    no  line 9: unless client_names = ".forwarder.example"; it is a.example
                    no  line 9: unless dkim_domains = "list.example"; it is (no domain)
                rest, p.toml:12: junk: not reached
                """
        )
    }

    @Test("an exemption and what follows it")
    func exempted() throws {
        #expect(
            try explain("spf=fail names=out.forwarder.example dmarc=fail") == """
                partner, p.toml:1: accept: does not match
                    no  line 3: clients = "198.51.100.0/24"; it is 192.0.2.1
                strict, p.toml:6: reject: does not match: exempted
                    yes line 8: spf = ["fail", "softfail"]; it is fail
                    yes line 8: recipient_domains = "example.net"; it is example.net
                    yes line 9: unless client_names = ".forwarder.example"; it is out.forwarder.example
                    no  line 9: unless dkim_domains = "list.example"; it is (no domain)
                rest, p.toml:12: junk: MATCHES AND DECIDES
                    yes line 14: dmarc = "fail"; it is fail
                """
        )
    }

    @Test("an exemption that is not known")
    func exemptionUnknown() throws {
        let text = try explain("spf=fail names=? dmarc=fail")
        #expect(text.contains("reject: does not match: it is not known whether it is exempted\n"))
    }

    @Test("a rule on trial says so, whatever comes of it")
    func trial() throws {
        let rules = Self.rules.replacing("action = \"reject\"", with: "action = \"reject\"\nobserve = true")
        let matching = try explain("spf=fail dmarc=fail", rules: rules)
        #expect(matching.contains("strict, p.toml:6: reject, on trial: matches; evaluation goes on\n"))
        let other = try explain("dmarc=fail", rules: rules)
        #expect(other.contains("strict, p.toml:6: reject, on trial: does not match\n"))
    }

    @Test(
        "the outcome agrees with the verdict",
        arguments: [
            ("spf=fail to=a@example.net,b@example.org,c@example.net", [.decided, .no]),
            ("spf=fail to=b@example.org", [.no]), ("spf=? to=a@example.net", [.unknown]),
            ("client=198.51.100.1 spf=fail to=a@example.net", [.notReached]), ("spf=fail to=none", [.unknown]),
            ("spf=fail names=?", [.exemptionUnknown]), ("spf=fail names=? signed=list.example", [.exempted]),
        ] as [(String, [RuleTrace.Outcome])]
    )
    func outcomes(_ facts: String, _ expected: [RuleTrace.Outcome]) throws {
        let engine = PolicyEngine(rules: try Configuration.parse(Self.rules, file: "p.toml").rules, mode: .enforce)
        let words = facts.split(separator: " ").map(String.init)
        let recipients = engine.kinds(of: FactsText.recipients(words))
        let explanations = engine.explain(try FactsText.facts(words, atEnd: true), recipients)
        #expect(explanations.map { $0.rules.dropFirst().first?.outcome } == expected)
        #expect(explanations.flatMap(\.recipients).sorted() == Array(0..<recipients.count))
    }
}
