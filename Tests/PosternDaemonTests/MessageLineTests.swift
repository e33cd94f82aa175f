import Foundation
import MailAuthentication
import MailSyntax
import Policy
import Testing

@testable import PosternDaemon

/// postern(8), LOG: the fields stand always in this order.
@Suite("Lines about messages")
struct MessageLineTests {
    private func line(_ judgement: Judgement, _ delivery: Delivery = Sample.delivery()) -> String {
        LogLine(judgement, delivery).text[...].text
    }

    @Test("a judged message")
    func judged() async throws {
        let text = line(try await Sample.judgement(client: "192.0.2.1"))
        let expected =
            "4XyZ1: action=accept client=192.0.2.1 helo=mail.example.com from=<a@example.com> rcpts=1 spf=pass"
            + " spf_helo=none sender_id=pass pra=a@example.com author=example.com dkim=none dmarc=pass aligned=spf policy=reject"
            + " iprev=permerror dns=5/5 ms=12"
        #expect(text == expected)
    }

    @Test("RFC 9989 § 4.7, t=y: the policy that applies, and the one that is published")
    func testing() async throws {
        let text = line(try await Sample.judgement(client: "192.0.2.1", dmarc: "v=DMARC1; p=reject; t=y"))
        #expect(
            text.contains(" dmarc=pass aligned=spf policy=quarantine published=reject iprev=permerror dns="),
            "\(text)"
        )
    }

    @Test("ARC, where it is checked: the result and whose seal is the newest")
    func chain() async throws {
        let tags = " i=1; a=rsa-sha256; d=list.example; s=s; b=QUJD;"
        let fields = [
            "ARC-Seal:\(tags) cv=none", "ARC-Message-Signature:\(tags) h=from; bh=QUJD",
            "ARC-Authentication-Results: i=1; list.example; none", "From: a@example.com",
        ]
        let text = line(try await Sample.judgement(client: "192.0.2.1", fields: fields, checks: [.spf, .arc]))
        #expect(text.contains(" arc=fail arc_sealer=list.example dns="), "\(text)")
    }

    @Test("a refused message names its rule and stage")
    func refused() async throws {
        let text = line(try await Sample.judgement(rules: Sample.reject), Sample.delivery(nil))
        #expect(
            text.hasPrefix(
                "NOQUEUE: action=reject rule=spf-strict stage=rcpt client=192.0.2.9 helo=mail.example.com"
                    + " from=<a@example.com> rcpts=1 rcpt=b@example.net "
            ),
            "\(text)"
        )
        #expect(
            text.contains(
                " spf=fail spf_helo=none sender_id=fail pra=a@example.com author=example.com dkim=none dmarc=fail"
            )
        )
    }

    @Test("observe mode accepts, and says what enforce would do")
    func observed() async throws {
        let text = line(try await Sample.judgement(rules: Sample.reject, mode: "observe"))
        #expect(
            text.hasPrefix("4XyZ1: action=accept would=reject rule=spf-strict stage=rcpt client=192.0.2.9 "),
            "\(text)"
        )
    }

    @Test("marks, exemptions, trials, refused recipients, removed fields follow at the end")
    func remarks() async throws {
        let rules =
            Sample.rule("mark") + Sample.rule("reject", "observe = true")
            + Sample.rule("tempfail", "unless = { helo = \"mail.example.com\" }")
        let judgement = try await Sample.judgement(
            rules: rules,
            fields: ["X-DKIM-Result: Pass", "From: a@example.com"]
        )
        let refusal = try await Sample.judgement(rules: Sample.reject).verdict
        let text = line(judgement, Sample.delivery(refused: [refusal], "c@example.net"))
        #expect(text.contains(" rcpts=1 rcpt=c@example.net refused=1 refused_by=spf-strict spf=fail "), "\(text)")
        let tail = " marks=r-mark exempted=r-tempfail trial=r-reject:reject"
        #expect(text.contains(" ms=12\(tail)"), "\(text)")
        #expect(text.hasSuffix(" removed=1"), "\(text)")
    }

    @Test("a signed message, one that is not and why, and one that nobody expects to be signed")
    func own() {
        let envelope = Envelope(helo: [], sender: Array("a@example.com".utf8), recipients: [[0x62]], isTrusted: true)
        func text(_ outcome: OutgoingMessage.Outcome?, _ trust: MailTrust? = nil) -> String {
            let source = SignedMessage.Source(trust: trust, login: Array("ann".utf8), isOwnHost: trust != .login)
            return LogLine(outcome, envelope: envelope, from: source, removed: 0, Sample.delivery()).text[...].text
        }
        let begin = "client=local helo=\"\" from=<a@example.com> rcpts=1"
        #expect(
            text(.init(signatures: [[0x61]], keys: ["example.com/s", "example.com/t"]))
                == "4XyZ1: action=sign \(begin) signed=example.com/s,example.com/t ms=12"
        )
        #expect(
            text(.init(problem: "From does not name one author"))
                == "4XyZ1: action=accept \(begin) unsigned=\"From does not name one author\" ms=12"
        )
        #expect(text(nil) == "4XyZ1: action=accept \(begin) ms=12")
        for (trust, word) in [(MailTrust.network, "network"), (.login, "login"), (.skip, "skip")] {
            let login = trust == .login ? " login=ann" : ""
            #expect(text(nil, trust) == "4XyZ1: action=accept \(begin) trusted=\(word)\(login) ms=12")
        }
    }

    @Test("what SMTP says adds no field and no line")
    func injection() async throws {
        let judgement = try await Sample.judgement(
            helo: "x action=reject\r\nfoo",
            sender: "a b=\"c\"@example.com",
            fields: ["From: a@example.com"]
        )
        let text = line(judgement)
        #expect(text.contains(" helo=\"x action=reject??foo\" from=\"<a b=\\\"c\\\"@example.com>\" "), "\(text)")
    }
}

@Suite("History")
struct HistoryTests {
    private func remembered(_ queueID: String?, time: UnixTime) async throws -> RememberedMessage {
        RememberedMessage(
            time: time,
            judgement: try await Sample.judgement(),
            delivery: Sample.delivery(queueID),
            headers: HeaderBlock(),
            authservID: Octets("mx.example.org"),
            cost: 1
        )
    }

    @Test("the oldest is forgotten for the latest, and the latest comes first")
    func ring() async throws {
        let history = History(capacity: 3)
        let ids = ["A", "B", "A", "C", nil]
        for (index, id) in ids.enumerated() { history.remember(try await remembered(id, time: UnixTime(Int64(index)))) }
        let times = { (id: String) in history.messages { $0.queueID == id }.map(\.time) }
        #expect(history.count == 3)
        #expect(times("A") == [2])
        #expect(times("B") == [])
        #expect(times("C") == [3])
        // A message without a queue ID is found by what its line says.
        #expect(times("NOQUEUE") == [4])
        history.remember(try await remembered("C", time: 9))
        #expect(times("C") == [9, 3])
        #expect(times("A") == [])
    }

    @Test(
        "another size keeps the latest",
        arguments: [(0, []), (2, [5, 4]), (4, [5, 4, 3, 2]), (9, [5, 4, 3, 2])] as [(Int, [UnixTime])]
    )
    func resize(_ capacity: Int, _ kept: [UnixTime]) async throws {
        let history = History(capacity: 4)
        for time in 0..<6 { history.remember(try await remembered("A", time: UnixTime(Int64(time)))) }
        history.resize(to: capacity)
        #expect(history.messages { $0.queueID == "A" }.map(\.time) == kept)
        history.remember(try await remembered("A", time: 6))
        let after = ([6] + kept).prefix(capacity)
        #expect(history.messages { $0.queueID == "A" }.map(\.time) == Array(after))
    }

    @Test("a clean pass is not remembered, anything else is")
    func clean() async throws {
        #expect(try await Sample.judgement(client: "192.0.2.1").isCleanPass)
        #expect(try await !Sample.judgement().isCleanPass)
        let forged = try await Sample.judgement(
            client: "192.0.2.1",
            fields: ["X-DKIM-Result: Pass", "From: a@example.com"]
        )
        #expect(!forged.isCleanPass)
        let ruled = try await Sample.judgement(
            rules: Sample.rule("accept", when: "spf = \"pass\""),
            client: "192.0.2.1"
        )
        #expect(!ruled.isCleanPass)
    }

    @Test("of the header only what Sender ID and DMARC look at is kept (RFC 4407 § 2), and within bounds")
    func headers() {
        var headers = HeaderBlock()
        let names = ["Received", "Subject", "Resent-From", "From", "X-Large"]
        for name in names { headers.append(name: name.utf8, value: " value".utf8) }
        #expect(
            headers.ofSenders.map { $0.name.text + $0.value.text } == ["Received", "Resent-From value", "From value"]
        )
        for _ in 0..<200 { headers.append(name: "From".utf8, value: "x".utf8) }
        #expect(headers.ofSenders.count == 100)
    }
}

@Suite("Counters and metrics")
struct CountersTests {
    @Test("each message counts by its action, its results and its rules")
    func counts() async throws {
        let counters = Counters()
        let refused = try await Sample.judgement(rules: Sample.reject)
        let recipients = Sample.delivery(refused: [refused.verdict, refused.verdict])
        counters.count(refused, recipients)
        counters.count(try await Sample.judgement(rules: Sample.reject, mode: "observe"), Sample.delivery())
        counters.count(try await Sample.judgement(rules: Sample.rule("mark")), Sample.delivery())
        let values = counters.values
        #expect(values.messages == ["reject": 1, "accept": 2])
        #expect(values.results[.init(check: "spf", result: "fail")] == 3)
        #expect(values.results[.init(check: "dkim", result: "none")] == 3)
        #expect(
            values.rules == [
                .init(rule: "spf-strict", outcome: "acted"): 1, .init(rule: "spf-strict", outcome: "would"): 1,
                .init(rule: "r-mark", outcome: "marked"): 1,
            ]
        )
        #expect(values.refusedRecipients == 2)
        #expect(values.forgedFields == 0)
        #expect(values.lookups == values.cachedLookups)
    }

    @Test("metrics are written in the exposition format, labels escaped")
    func text() {
        var text = MetricsText()
        text.add("connections", .gauge, "Open.", 3)
        text.add("rules_total", .counter, "Rules.", [([("rule", "a\\b\"c\nd"), ("outcome", "é")], 2)])
        #expect(
            text.text == """
                # HELP postern_connections Open.
                # TYPE postern_connections gauge
                postern_connections 3
                # HELP postern_rules_total Rules.
                # TYPE postern_rules_total counter
                postern_rules_total{rule="a\\\\b\\"c\\nd",outcome="é"} 2

                """
        )
    }

    @Test("postern(8) names every field, in the order of the line")
    func manual() async throws {
        let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let manual = try String(contentsOf: URL(filePath: "/\(folder)/Packaging/man/postern.8"), encoding: .utf8)
        let log = try #require(manual.split(separator: ".Sh LOG").last?.split(separator: ".Ss Other lines").first)
        let items = log.split(separator: "\n").filter { $0.hasPrefix(".It ") }
        let names = items.flatMap { $0.dropFirst(4).split(separator: " , ") }.map(String.init)
        let checks = Check.allCases.map(\.rawValue)
        #expect(names.filter(checks.contains) == checks)
        #expect(names.filter { !checks.contains($0) } == LogField.allCases.map(\.rawValue))
        // How the results and the other fields follow one another.
        let judgement = try await Sample.judgement(client: "192.0.2.1")
        let text = LogLine(judgement, Sample.delivery()).text[...].text
        let words = text.split(separator: " ").dropFirst()
        let places = words.map { word in names.firstIndex { word.hasPrefix($0 + "=") } ?? -1 }
        #expect(places.count > 10 && places == places.sorted() && !places.contains(-1), "\(words)")
    }
}
