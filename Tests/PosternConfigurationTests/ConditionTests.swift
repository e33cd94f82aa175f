import MailSyntax
import Policy
import PosternConfiguration
import Testing

@Suite("Conditions")
struct ConditionTests {
    /// A value that the facts below satisfy.
    private static func value(_ kind: ConditionName.Kind) -> String {
        switch kind {
        case .result: "'pass'"
        case .policy: "'reject'"
        case .reading: "'readable'"
        case .network: "'192.0.2.0/24'"
        case .domain: "'example.org'"
        case .address: "'user@example.org'"
        case .flag: "true"
        case .count: "1"
        }
    }

    /// Facts of which none is missing.
    private static func facts() throws -> PolicyFacts {
        let domains = [try DomainName("example.org")]
        var facts = PolicyFacts()
        facts.results = PerCheck { _ in .pass }
        (facts.senderIDAligned, facts.dkimAligned) = (.pass, .pass)
        (facts.dmarcPolicy, facts.dmarcPublished) = (.reject, .reject)
        facts.client = IPAddress("192.0.2.1")
        (facts.clientNames, facts.fromDomains, facts.dkimDomains) = (domains, domains, domains)
        (facts.arcSealers, facts.listDomains, facts.permittedBy) = (domains, domains, domains)
        (facts.listVerified, facts.forwarded, facts.spfOpen) = (.yes, .yes, .yes)
        facts.helo = "example.org"
        (facts.mailFrom, facts.pra) = (MailAddress("user@example.org"), MailAddress("user@example.org"))
        (facts.author, facts.fromCount, facts.authenticated) = (.readable, 1, true)
        return facts
    }

    private static func rule(_ name: ConditionName) -> String {
        "[[rules]]\nname = 'r'\nwhen = { \(name.rawValue) = \(value(name.kind)) }\naction = 'junk'\n"
    }

    @Test("each takes values of its kind, and holds by its own fact alone", arguments: ConditionName.allCases)
    func row(_ name: ConditionName) throws {
        let engine = PolicyEngine(rules: try Configuration.parse(Self.rule(name), file: "p").rules, mode: .enforce)
        #expect(engine.rules.first?.when.first?.values.kind == name.kind)
        let recipients = engine.kinds(of: [MailAddress("user@example.org")])
        let trace = try #require(engine.explain(Self.facts(), recipients).first?.rules.first)
        #expect(trace.outcome == .decided)
        #expect(trace.conditions.first?.actual != nil)
        let empty = try #require(engine.explain(PolicyFacts(), RecipientKinds()).first?.rules.first)
        #expect(empty.outcome == .unknown)
        #expect(empty.conditions.first?.actual == nil)
        // Before DATA no more is known than the condition says.
        let early = try #require(engine.explain(Self.facts().ofEnvelope, recipients).first?.rules.first)
        #expect((early.outcome == .decided) == name.isOfEnvelope)
    }

    @Test("each says when a check behind it is switched off", arguments: ConditionName.allCases)
    func checks(_ name: ConditionName) throws {
        for check in Check.allCases where check == check.setting {
            let text = Check.allCases.filter { $0 == $0.setting }
                .map { "checks.\($0.rawValue) = \($0 != check)\n" }.joined()
            let warnings = try Configuration.parse(text + Self.rule(name), file: "p").warnings
            #expect(
                warnings.contains { $0.message.contains("switched off") } == name.checks.map(\.setting).contains(check)
            )
        }
    }
}
