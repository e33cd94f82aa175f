import ARC
import DNSLookup
import FoundationEssentials
import MailAuthentication
import MailSyntax
import Policy
import TestSupport
import Testing

/// ARC among the other checks: what is stamped, reported and told to the rules of the messages in Tests/Vectors/arc.
@Suite("The chain of seals")
struct ChainTests {
    private static func zone() throws -> DNSZone {
        let file = try JSONDecoder().decode([String: [String: [[String]]]].self, from: Vectors.read("arc/dns.json"))
        var zone = try Sample.zone()
        for (name, types) in file {
            for text in types["TXT"] ?? [] { zone.add(.txt([UInt8](text.joined().utf8)), at: try DomainName(name)) }
        }
        return zone
    }

    private static func judge(
        _ name: String,
        checks: PerCheck<Bool> = [.arc],
        rules: String = "",
        change: (inout String) -> Void = { _ in }
    ) async throws -> Judgement {
        var text = String(decoding: try Vectors.read("arc/" + name), as: UTF8.self)
        change(&text)
        return try await Sample.judge(message: StoredMessage(Octets(text)), zone(), checks: checks, rules: rules)
    }

    private static func results(_ judgement: Judgement) -> String? {
        judgement.newFields.first { $0.name == "Authentication-Results" }?.value[...].text.replacing("\n\t", with: " ")
    }

    @Test("RFC 8617 § 10.2: the result and its properties are stamped")
    func stamp() async throws {
        #expect(
            Self.results(try await Self.judge("changed.eml"))
                == "mx.example.org; arc=pass header.oldest-pass=2 smtp.remote-ip=192.0.2.1"
        )
        let broken = try await Self.judge("three.eml") { $0.replace("at four", with: "at five") }
        #expect(Self.results(broken) == "mx.example.org; arc=fail smtp.remote-ip=192.0.2.1")
        let none = try await Self.judge("three.eml") { $0.replace("ARC-", with: "X-") }
        #expect(Self.results(none) == "mx.example.org; arc=none")
    }

    @Test("nothing is stamped or looked up unless the check is made")
    func unmade() async throws {
        let judgement = try await Self.judge("three.eml", checks: [.iprev])
        #expect(judgement.assessment.arc == nil)
        #expect(Self.results(judgement)?.contains("arc") == false)
        #expect(!judgement.lookups.contains { "\($0.question)".contains("_domainkey") })
    }

    @Test("postern(1), check --format json: arc is an object")
    func report() async throws {
        let judgement = try await Self.judge("two.eml")
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(JudgementReport(judgement)), as: UTF8.self)
        #expect(text.contains(#""arc":{"instances":2,"oldest_pass":0,"result":"pass","sealer":"relay.example.com"}"#))
        #expect(
            judgement.text(withTrace: false).contains("\narc          pass (2 sets; newest seal of relay.example.com)")
        )
    }

    @Test(
        "only the newest sealer counts, and only of a whole chain",
        arguments: [
            ("mx.example.org", "", RuleAction.junk), (".example.org", "", .junk), ("list.example.net", "", .accept),
            ("relay.example.com", "", .accept), ("mx.example.org", "Tea", .accept),
            ("mx.example.org", "i=1; cv=none", .accept),
        ]
    )
    func sealers(_ listed: String, _ broken: String, _ action: RuleAction) async throws {
        let rule = "[[rules]]\nname = \"l\"\nwhen = { arc_sealers = \"\(listed)\" }\naction = \"junk\"\n"
        let judgement = try await Self.judge("three.eml", rules: rule) { text in
            if !broken.isEmpty { text.replace(broken, with: "x") }
        }
        #expect(judgement.verdict.action == action)
    }

    @Test("a message is judged again with the chain of its first day, for its body is gone")
    func replay() async throws {
        let first = try await Self.judge("two.eml")
        let headers = StoredMessage(Octets(String(decoding: try Vectors.read("arc/two.eml"), as: UTF8.self))).headers
        var settings = AuthenticationSettings()
        settings.checks = [.arc]
        let judge = MessageJudge(
            settings: settings,
            headers: HeaderSettings(authservID: Octets("mx.example.org")),
            engine: PolicyEngine(rules: RuleSet(), mode: .enforce),
            resolver: ReplayingResolver(first.lookups),
            timeout: .seconds(60)
        )
        for chain in [first.assessment.arc, nil] {
            let again = await judge.judge(
                Sample.envelope(),
                headers: headers,
                signatures: nil,
                chain: chain,
                now: Sample.now
            )
            #expect(again.assessment.arc?.result == chain?.result)
        }
    }

    @Test("a key without an answer is temperror, not fail")
    func unanswered() async throws {
        var zone = try Sample.zone()
        for name in [
            "l1._domainkey.list.example.net", "m1._domainkey.mx.example.org", "r1._domainkey.relay.example.com",
        ] {
            zone.add(failure: .timeout, at: try DomainName(name))
        }
        let message = StoredMessage(Octets(String(decoding: try Vectors.read("arc/three.eml"), as: UTF8.self)))
        let judgement = try await Sample.judge(message: message, zone, checks: [.arc])
        #expect(Self.results(judgement) == "mx.example.org; arc=temperror smtp.remote-ip=192.0.2.1")
    }
}
