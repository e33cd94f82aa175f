import DNSLookup
import FoundationEssentials
import MailAuthentication
import MailSyntax
import Policy
import Testing

@Suite("Reports")
struct ReportTests {
    private static let rule =
        "[[rules]]\nname = \"spf-strict\"\nwhen = { spf = \"fail\" }\naction = \"reject\"\n"

    private func json(_ judgement: Judgement, id: String? = nil, withTrace: Bool = false) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let report = JudgementReport(judgement, id: id, withTrace: withTrace)
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }

    @Test("postern(1), check --format json: the keys and values of the result")
    func keys() async throws {
        let message =
            try Sample.signed(["From: a@example.com"]) + ["Authentication-Results: mx.example.org; spf=pass"]
        let judgement = try await Sample.judge(message, try Sample.zone()) {
            $0.authenticationResults = false
            $0.senderID = false
        }
        let expected: [String] = [
            #""author":{"count":1,"domains":["example.com"],"reading":"readable"},"#,
            #""dkim":[{"algorithm":"ed25519-sha256","domain":"example.com","identity":"@example.com","#,
            #""key_bits":256,"result":"pass","selector":"s","testing":false}],"#,
            #""dmarc":{"aligned":["spf","dkim"],"effective_policy":"reject","from_domain":"example.com","#,
            #""organizational_domain":"example.com","policy":"reject","policy_domain":"example.com","#,
            #""result":"pass"},"#,
            #""headers":[{"name":"X-DKIM-Result","value":"Pass"}],"#,
            #""id":"7","#,
            #""iprev":{"name":"mail.example.com","result":"pass"},"#,
            #""removed_headers":[{"index":1,"name":"Authentication-Results"}],"#,
            #""sender_id":{"domain":"example.com","header":"From","mechanism":"ip4:192.0.2.1","#,
            #""pra":"a@example.com","record":"spf1","result":"pass"},"#,
            #""spf":[{"domain":"example.com","lookups":0,"mechanism":"ip4:192.0.2.1","result":"pass","#,
            #""scope":"mfrom","void_lookups":0},{"domain":"mail.example.com","lookups":1,"mechanism":"a","#,
            #""result":"pass","scope":"helo","void_lookups":0}],"#,
            #""verdict":{"action":"accept"},"#,
        ]
        let text = "{" + expected.joined().dropLast() + "}"
        #expect(try json(judgement, id: "7") == text)
    }

    @Test("what was not checked is absent")
    func absent() async throws {
        let judgement = try await Sample.judge(["From: a@example.com"], try Sample.zone(), checks: []) {
            $0.authenticationResults = false
        }
        #expect(
            try json(judgement)
                == #"{"author":{"count":1,"domains":["example.com"],"reading":"readable"},"headers":[],"#
                + #""removed_headers":[],"verdict":{"action":"accept"}}"#
        )
    }

    @Test("a verdict names its rule, stage and reply; observe mode says what enforce would do")
    func verdict() async throws {
        let envelope = Sample.envelope(client: IPAddress("192.0.2.9"))
        let zone = try Sample.zone()
        let rejected = try await Sample.judge(["From: a@example.com"], zone, envelope: envelope, rules: Self.rule)
        let text = try json(rejected)
        #expect(text.contains(#""action":"reject""#), "\(text)")
        #expect(text.contains(#""rule":"spf-strict""#))
        #expect(text.contains(#""stage":"rcpt""#))
        #expect(text.contains(#""reply":"550 5.7.23 "#))
        #expect(text.contains(#""mechanism":"-all""#))
        #expect(!text.contains("\"would\""))
    }

    @Test("a trace shows steps only when asked for")
    func trace() async throws {
        let message = try Sample.signed(["From: a@example.com"])
        let judgement = try await Sample.judge(message, try Sample.zone())
        #expect(try !json(judgement).contains("\"trace\""))
        let traces = try json(judgement, withTrace: true).split(separator: "\"trace\":[\"").count - 1
        // SPF twice, Sender ID, DKIM, DMARC.
        #expect(traces == 5)
    }

    @Test("the text says the verdict first, with its reason, and all results")
    func text() async throws {
        let envelope = Sample.envelope(client: IPAddress("192.0.2.9"))
        let judgement = try await Sample.judge(
            ["Authentication-Results: mx.example.org; spf=pass", "From: a@example.com"],
            try Sample.zone(),
            envelope: envelope,
            rules: Self.rule
        )
        let lines = judgement.text(withTrace: false).split(separator: "\n").map(String.init)
        // "mode" takes the first line.
        #expect(lines.first == "verdict      reject by rule \"spf-strict\", postern.toml:2, stage rcpt")
        #expect(lines.dropFirst().first?.hasPrefix("  reply      550 5.7.23 ") == true)
        for line in [
            "client       192.0.2.9, HELO mail.example.com", "from         <a@example.com>",
            "to           <b@example.net>",
            "spf          fail (example.com; -all; 0 terms with lookups, 0 void)",
            "dkim         none (no signature)",
            "dmarc        fail (From example.com; policy reject; record of example.com)",
            "stamped", "  X-SID-Result: Fail", "removed", "  Authentication-Results (number 1 of that name)",
        ] {
            #expect(lines.contains(line), "\(line) is not in \(lines)")
        }
        #expect(!lines.contains("lookups"))
        let traced = judgement.text(withTrace: true).split(separator: "\n").map(String.init)
        #expect(traced.contains("lookups"))
        #expect(traced.contains("  example.com TXT: 1 record (zone)"))
    }

    @Test("RFC 9989 § 4.7, t=y: the text carries the policy that applies and the one that is published")
    func testing() async throws {
        let zone = try Sample.zone("_dmarc.example.com TXT v=DMARC1; p=reject; t=y", without: ["_dmarc"])
        let lines = try await Sample.judge(["From: a@example.com"], zone).text(withTrace: false).split(separator: "\n")
        let expected =
            "dmarc        pass (From example.com; policy quarantine, published as reject with t=y; "
            + "record of example.com; aligned: spf)"
        #expect(lines.contains { $0 == expected }, "\(lines)")
    }

    @Test("no control character of a message reaches the terminal")
    func controls() async throws {
        var envelope = Sample.envelope()
        envelope.sender = Array("a\u{1B}[2J@example.com".utf8)
        envelope.helo = Array("h\r\n\u{7}".utf8)
        let judgement = try await Sample.judge(
            ["From: \u{1B}]0;x\u{7} <a\u{1B}@example.com>"],
            try Sample.zone(),
            envelope: envelope
        )
        let lines = judgement.text(withTrace: true).split { $0 == "\n" || $0 == "\t" }
        let isClean = lines.allSatisfy { line in line.utf8.allSatisfy { (0x20..<0x7F).contains($0) } }
        #expect(isClean)
    }
}
