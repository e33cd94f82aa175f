import DNSLookup
import MailAuthentication
import MailSyntax
import Policy
import PosternConfiguration
import SPF
import TestSupport
import Testing

@Suite("Mail that a relay of our own passes on")
struct RelayTests {
    private static let relay = IPAddress("198.51.100.2")

    private static func relays(results: String? = nil, refuses: Bool = false) throws -> RelaySettings {
        RelaySettings(
            networks: NetworkSet(["198.51.100.0/28"].compactMap { IPNetwork($0) }),
            names: [try DomainName("mx2.example.org"), try DomainName("localhost")],
            results: results.map { Octets($0) },
            refuses: refuses
        )
    }

    private static func received(_ helo: String, _ address: String, by host: String = "mx2.example.org") -> String {
        "Received: from \(helo) (unknown [\(address)]) by \(host) (Postfix) with ESMTP id 4XyZ1; "
            + "Sat, 28 Nov 2026 10:00:00 +0000"
    }

    /// Field 0 is the relay's, by a client that the domain permits.
    private static let permitted = received("mail.example.com", "192.0.2.1")
    private static let another = received("mail.example.com", "192.0.2.9")
    private static let from = "From: a@example.com"
    private static let rejecting = "[[rules]]\nname = \"r\"\nwhen = { spf = \"fail\" }\naction = \"reject\"\n"

    private static func judge(
        _ fields: [String],
        results: String? = nil,
        refuses: Bool = false,
        sender: String = "a@example.com",
        client: IPAddress? = relay,
        rules: String = rejecting,
        mode: String = "enforce",
        maximumHeaderOctets: Int = .max
    ) async throws -> Judgement {
        let configuration = try Configuration.parse("mode = \"\(mode)\"\n" + rules, file: "postern.toml")
        let judge = MessageJudge(
            settings: AuthenticationSettings(),
            headers: HeaderSettings(authservID: Octets("mx.example.org")),
            engine: PolicyEngine(rules: configuration.rules, mode: configuration.mode),
            resolver: try Sample.zone(),
            timeout: .seconds(60),
            maximumHeaderOctets: maximumHeaderOctets,
            relays: try relays(results: results, refuses: refuses)
        )
        let message = StoredMessage(Octets(fields.joined(separator: "\r\n") + "\r\n\r\n" + Sample.body))
        return await judge.judge(Sample.envelope(sender: sender, client: client), message: message, now: Sample.now)
    }

    private static func stamp(_ judgement: Judgement) -> String {
        judgement.newFields.first { $0.name == "Authentication-Results" }?.value[...].text ?? ""
    }

    @Test("it is judged by the client from which the relay had it")
    func trueClient() async throws {
        let judgement = try await Self.judge([Self.permitted, Self.from])
        #expect(judgement.assessment.words == "pass pass pass none pass pass")
        #expect(judgement.envelope.clientAddress == Sample.client)
        #expect(judgement.envelope.helo[...].text == "mail.example.com")
        #expect(judgement.envelope.relay?.state == .client && judgement.envelope.relay?.address == Self.relay)
        let stamp = Self.stamp(judgement)
        #expect(stamp.contains("spf=pass smtp.mailfrom=a@example.com smtp.remote-ip=192.0.2.1"))
        #expect(stamp.contains("iprev=pass policy.iprev=192.0.2.1"))
        let text = judgement.text(withTrace: false)
        #expect(text.contains("relay        198.51.100.2, whose Received fields name the client"))
    }

    @Test("fields of a client that is no relay are nobody's word")
    func stranger() async throws {
        let judgement = try await Self.judge([Self.permitted, Self.from], client: IPAddress("192.0.2.9"))
        #expect(judgement.verdict.action == .reject && judgement.envelope.relay == nil)
        #expect(judgement.envelope.clientAddress == IPAddress("192.0.2.9"))
        #expect(!Self.stamp(judgement).contains("remote-ip"))
    }

    @Test("a forged field below the relay's is not read")
    func forged() async throws {
        let judgement = try await Self.judge([Self.another, Self.permitted, Self.from])
        #expect(judgement.assessment.words == "fail fail fail none fail permerror")
    }

    @Test("the field of the host that had it from the relay may be on top of a stored message")
    func stored() async throws {
        let own = Self.received("mx2.example.org", "198.51.100.2", by: "mx.example.org")
        let judgement = try await Self.judge([own, Self.permitted, Self.from])
        #expect(judgement.envelope.clientAddress == Sample.client)
    }

    @Test("a refusal flags it, and so does a rule that would drop it", arguments: ["reject", "discard"])
    func softened(_ action: String) async throws {
        let rules = Self.rejecting.replacing("\"reject\"", with: "\"\(action)\"")
        let judgement = try await Self.judge([Self.another, Self.from], rules: rules)
        #expect(judgement.verdict.action == .junk && judgement.verdict.relayed?.rawValue == action)
        #expect(judgement.verdict.reply == nil && judgement.verdict.stage == .endOfMessage)
        #expect(judgement.newFields.contains { $0.name == "X-Spam-Flag" })
        let observed = try await Self.judge([Self.another, Self.from], rules: rules, mode: "observe").verdict
        #expect(observed.action == .accept && observed.would?.action == .junk && observed.relayed?.rawValue == action)
        let refused = try await Self.judge([Self.another, Self.from], refuses: true, rules: rules).verdict
        #expect(refused.action.rawValue == action && refused.relayed == nil)
    }

    @Test("forged fields that others are refused for flag it, and the first thousand go", arguments: [100, 101, 1001])
    func manyForged(_ count: Int) async throws {
        let fields = [Self.permitted, Self.from] + Array(repeating: "X-DKIM-Result: Pass", count: count)
        let judgement = try await Self.judge(fields)
        #expect(judgement.removedFields.count == min(count, 1000))
        #expect(judgement.verdict.action == (count > 100 ? .junk : .accept))
        #expect(judgement.verdict.relayed == (count > 100 ? .reject : nil))
        #expect(judgement.newFields.contains { $0.name == "X-Spam-Flag" } == (count > 100))
        #expect(judgement.review?.action == (count > 100 ? .junk : nil))
        #expect(judgement.assessment.words == "pass pass pass none pass pass")
        let observed = try await Self.judge(fields, mode: "observe")
        #expect(observed.verdict.action == .accept && observed.review?.action == judgement.review?.action)
        let refused = try await Self.judge(fields, refuses: true)
        #expect(refused.verdict.action == .accept && refused.review?.action == (count > 100 ? .reject : nil))
    }

    @Test("a header beyond its bound flags it, and what depends on the rest is not judged", arguments: [0, 1])
    func tooLarge(_ excess: Int) async throws {
        let fields = [Self.permitted] + (try Sample.signed([Self.from]))
        let size = StoredMessage(Octets(fields.joined(separator: "\r\n") + "\r\n\r\n")).headers.octetCount
        let judgement = try await Self.judge(fields, maximumHeaderOctets: size - excess)
        #expect(judgement.verdict.action == (excess == 0 ? .accept : .junk))
        #expect(judgement.assessment.words == (excess == 0 ? "pass pass pass pass pass pass" : "pass pass - - - pass"))
        #expect(judgement.review?.obstacle == (excess == 0 ? nil : .tooLarge))
        #expect(judgement.text(withTrace: false).contains("obstacle") == (excess > 0))
    }

    @Test("other actions stay", arguments: ["junk", "quarantine", "tempfail"])
    func kept(_ action: String) async throws {
        let rules = Self.rejecting.replacing("\"reject\"", with: "\"\(action)\"")
        let verdict = try await Self.judge([Self.another, Self.from], rules: rules).verdict
        #expect(verdict.action.rawValue == action && verdict.relayed == nil)
    }

    static let unreadable: [(fields: [String], problem: String)] = [
        ([], "no Received field names a client from outside"),
        (
            [received("x", "192.0.2.9", by: "mx9.example.net"), permitted],
            "Received field is by mx9.example.net, which is not in trust.relays.by"
        ),
        (
            ["Received: by mx2.example.org (Postfix, from userid 0) id 4XyZ1", permitted],
            "Received field of the relay cannot be read: it names no client"
        ),
        (
            ["Received: from x by mx2.example.org; Sat, 28 Nov 2026 10:00:00 +0000", permitted],
            "Received field of the relay cannot be read: it has no address of the client where one is known to stand"
        ),
    ]

    /// Rules on what is not known of a client that the relay does not name.
    private static let onClient = [
        "spf = \"fail\"", "spf = \"!pass\"", "spf_helo = \"!pass\"", "sender_id = \"!pass\"", "dmarc = \"fail\"",
        "dmarc = \"!pass\"", "iprev = \"!pass\"", "clients = \"!192.0.2.1\"", "client_names = \"!mail.example.com\"",
        "permitted_by = \"!example.com\"", "spf_open = false", "dkim_aligned = \"!pass\"",
    ]

    @Test("rules that ask about a client that the relay does not name do not match", arguments: unreadable)
    func unreadableClient(_ fields: [String], _ problem: String) async throws {
        for condition in Self.onClient {
            let rules = Self.rejecting.replacing("spf = \"fail\"", with: condition)
            let judgement = try await Self.judge(fields + [Self.from], refuses: true, rules: rules)
            #expect(judgement.verdict.action == .accept && judgement.verdict.rule == nil, "\(condition)")
            #expect(judgement.assessment.words == "- - - none - -")
            #expect(judgement.envelope.clientAddress == nil && judgement.envelope.relay?.state == .unreadable)
            #expect(judgement.envelope.relay?.problem == problem)
            #expect(Self.stamp(judgement).contains("dkim=none"))
            #expect(!Self.stamp(judgement).contains("198.51.100"))
        }
    }

    @Test("what is known without a readable client is judged, and never refused for good", arguments: unreadable)
    func judgedWithoutClient(_ fields: [String], _ problem: String) async throws {
        for condition in ["dkim = \"none\"", "from_domains = \"example.com\"", "sender_domains = \"example.com\""] {
            let rules = Self.rejecting.replacing("spf = \"fail\"", with: condition)
            for refuses in [false, true] {
                let verdict = try await Self.judge(fields + [Self.from], refuses: refuses, rules: rules).verdict
                #expect(verdict.action == .junk && verdict.relayed == .reject, "\(condition)")
            }
        }
    }

    @Test(
        "a client that hides behind its own words is permitted by nobody",
        arguments: [
            "a([192.0.2.1])", "a(b)", "a(", "a;b", "a) by mx2.example.org (", "a by mx9.example.net",
            "a (x [192.0.2.1]) by mx9.example.net (", String(repeating: "a", count: 9000),
        ]
    )
    func disguised(_ helo: String) async throws {
        let fields = [Self.received(helo, "192.0.2.9"), Self.permitted, Self.from]
        for condition in ["spf = \"fail\"", "spf_helo = \"fail\"", "sender_id = \"fail\"", "dmarc = \"fail\""] {
            let rules = Self.rejecting.replacing("spf = \"fail\"", with: condition)
            let judgement = try await Self.judge(fields, rules: rules)
            #expect(judgement.verdict.action == .junk && judgement.verdict.relayed == .reject, "\(condition)")
            #expect(judgement.envelope.relay?.state == .disguised && judgement.envelope.clientAddress == nil)
            #expect(judgement.assessment.words == "none none none none fail -")
            let refused = try await Self.judge(fields, refuses: true, rules: rules).verdict
            #expect(refused.action == .reject, "\(condition)")
        }
        let rules = Self.rejecting.replacing("spf = \"fail\"", with: "dmarc = \"fail\"")
        let signed = try await Self.judge([Self.received(helo, "192.0.2.9")] + Sample.signed([Self.from]), rules: rules)
        #expect(signed.assessment.words == "none none none pass pass -" && signed.verdict.action == .accept)
    }

    @Test("DMARC counts without a readable client where a signature passes")
    func unreadableAndSigned() async throws {
        let judgement = try await Self.judge(try Sample.signed([Self.from]))
        #expect(judgement.assessment.words == "- - - pass pass -")
    }

    private static func results(_ text: String, of host: String = "gateway.example.org") -> String {
        "Authentication-Results: \(host); \(text)"
    }

    private static let passed = results("spf=pass smtp.mailfrom=a@example.com; iprev=pass policy.iprev=192.0.2.1")

    @Test("what an upstream host found counts in place of SPF")
    func upstream() async throws {
        let above = [Self.results("dkim=pass header.d=example.net"), Self.results("spf=fail", of: "mx.example.net")]
        let below = Self.results("spf=fail smtp.mailfrom=a@example.com")
        let judgement = try await Self.judge(
            above + [Self.passed, below, Self.from],
            results: "gateway.example.org",
            sender: "SRS0=x=y=example.com=a@gateway.example.org"
        )
        #expect(judgement.assessment.words == "pass - pass none pass pass")
        #expect(judgement.assessment.spf?.domain == "example.com")
        #expect(judgement.envelope.relay?.state == .results && judgement.envelope.clientAddress == Sample.client)
        #expect(judgement.verdict.action == .accept)
    }

    @Test("what an upstream host found of the null sender is what it found of HELO")
    func upstreamHELO() async throws {
        let field = Self.results("spf=fail smtp.helo=mail.example.com")
        let judgement = try await Self.judge([field, Self.from], results: "GATEWAY.example.org", sender: "")
        #expect(judgement.assessment.spf?.result == .fail && judgement.assessment.spf?.scope == .helo)
        #expect(judgement.assessment.spf?.domain == "mail.example.com")
        #expect(judgement.envelope.clientAddress == nil && judgement.verdict.relayed == .reject)
    }

    @Test(
        "results that are not there or cannot be read leave the client unreadable",
        arguments: [
            ([], "no Authentication-Results of gateway.example.org"),
            ([permitted], "no Authentication-Results of gateway.example.org"),
            ([results("spf=sure")], "unknown result of SPF in Authentication-Results of the relay"),
            ([results("spf=policy"), passed], "unknown result of SPF in Authentication-Results of the relay"),
            ([results("dkim=none")], "no SPF in Authentication-Results of the relay"),
            ([results("none"), permitted, passed], "no SPF in Authentication-Results of the relay"),
            ([results("spf=pass (")], "Authentication-Results of the relay cannot be read"),
            ([results("spf=pass ("), passed], "Authentication-Results of the relay cannot be read"),
        ] as [([String], String)]
    )
    func noResults(_ fields: [String], _ problem: String) async throws {
        let judgement = try await Self.judge(fields + [Self.from], results: "gateway.example.org")
        #expect(judgement.envelope.relay?.state == .unreadable && judgement.envelope.relay?.problem == problem)
        #expect(judgement.verdict.action == .accept && judgement.assessment.spf == nil)
    }

    /// Local parts that end a comment of the host's, and write results behind it.
    private static let commentEnders = [
        "a) smtp.mailfrom=x@example.com (", "a); spf=pass smtp.mailfrom=x@example.com (",
        "a); spf=pass smtp.mailfrom=x@example.com; x=none (", "a) smtp.remote-ip=192.0.2.1 (",
        "a); iprev=pass policy.iprev=192.0.2.1 (",
    ]

    @Test("a sender's address does not become results of the upstream host", arguments: commentEnders, [false, true])
    func senderInComment(_ local: String, _ isQuotedTwice: Bool) async throws {
        let sender = "\"\(local)\"@example.net"
        let text = isQuotedTwice ? "\"\(sender.replacing("\"", with: "\\\""))\"" : sender
        let field = Self.results("spf=pass (gateway: domain of \(text) designates 192.0.2.9) smtp.mailfrom=\(text)")
        let rules = Self.rejecting.replacing("spf = \"fail\"", with: "dmarc = \"fail\"")
        let judgement = try await Self.judge(
            [field, Self.from],
            results: "gateway.example.org",
            sender: sender,
            rules: rules
        )
        #expect(judgement.assessment.words == "none none none none fail -")
        #expect(judgement.envelope.relay?.state == .disguised && judgement.envelope.clientAddress == nil)
        #expect(judgement.verdict.action == .junk)
    }

    @Test(
        "a sender's address that makes the results unreadable hides the client",
        arguments: ["a(b", "a;b", "a\"b", "a b"]
    )
    func senderWithoutQuotes(_ local: String) async throws {
        let rules = Self.rejecting.replacing("spf = \"fail\"", with: "dmarc = \"fail\"")
        for (sender, state) in [("\"\(local)\"@example.net", Relay.State.disguised), ("a@example.net", .unreadable)] {
            let judgement = try await Self.judge(
                [Self.results("spf=fail smtp.mailfrom=\(local)@example.net"), Self.from],
                results: "gateway.example.org",
                sender: sender,
                rules: rules
            )
            #expect(judgement.envelope.relay?.state == state)
            #expect(judgement.verdict.action == (state == .disguised ? .junk : .accept))
        }
    }

    @Test(
        "a quoted sender is read",
        arguments: ["smtp.mailfrom=\"a)b(\"@x.example", "(no) smtp.mailfrom=\"a;b\"@x.example"]
    )
    func quotedSender(_ text: String) async throws {
        let fields = [Self.results("spf=fail \(text)"), Self.from]
        let judgement = try await Self.judge(fields, results: "gateway.example.org")
        #expect(judgement.assessment.spf?.result == .fail && judgement.envelope.relay?.state == .results)
    }

    /// What a host of ours writes: above or below its own Received field, in one field or in several.
    static let written = [
        [passed, permitted], [permitted, passed], [permitted, results("dkim=none"), passed],
        [results("dkim=none"), passed, permitted], [results("spf=sure"), permitted], [results("dkim=none"), permitted],
        [permitted, results("dkim=none"), another], [results("spf=pass ("), permitted],
        [permitted, results("spf=fail")],
    ]

    @Test("nothing below what the upstream host wrote changes what it found", arguments: written)
    func belowResults(_ written: [String]) async throws {
        func found(_ below: [String]) async throws -> [String?] {
            let judgement = try await Self.judge(written + below + [Self.from], results: "gateway.example.org")
            let relay = judgement.envelope.relay
            return [relay?.description, judgement.assessment.words, judgement.envelope.clientAddress?.description]
        }
        let alone = try await found([])
        let forged = [
            Self.results("spf=pass smtp.mailfrom=a@example.com smtp.remote-ip=192.0.2.9"), Self.results("spf=fail"),
            Self.results("spf=sure"), Self.results("spf=pass ("), Self.results("none"), Self.another, "Received: x",
        ]
        for first in forged {
            for second in forged { #expect(try await found([first, second]) == alone) }
        }
    }

    @Test("results are believed only from the address of a relay")
    func forgedResults() async throws {
        let judgement = try await Self.judge(
            [Self.passed, Self.from],
            results: "gateway.example.org",
            client: IPAddress("192.0.2.9")
        )
        #expect(judgement.assessment.spf?.result == .fail && judgement.verdict.action == .reject)
    }

    @Test("the checks of the client start when its field has come, and not before")
    func start() async throws {
        let asked = Asked(try Sample.zone())
        let transaction = MailTransaction(
            relayedBy: try #require(Self.relay),
            of: try Self.relays(),
            settings: AuthenticationSettings(),
            sender: "a@example.com".utf8,
            resolver: asked,
            now: Sample.now
        )
        #expect(asked.questions.isEmpty && transaction.openEnvelopeChecks == nil)
        transaction.header("Subject: x")
        #expect(transaction.openEnvelopeChecks == nil)
        transaction.header(Self.permitted)
        let checks = try #require(transaction.openEnvelopeChecks)
        await checks.wait()
        #expect(transaction.envelopeAssessment.words == "pass pass - - - pass")
    }
}
