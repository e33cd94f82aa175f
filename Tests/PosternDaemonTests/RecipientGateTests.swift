import MailSyntax
import Policy
import PosternConfiguration
import Testing

@testable import PosternDaemon

/// A transaction as a script: commands and answers of the DNS, and what the gate says to each.
///
/// `rcpt a@b -> take`; `spf=fail` makes a result known; `checked` and `late` ask again about the recipient that waits.
struct GateScript: Sendable, CustomTestStringConvertible {
    let name: String
    var rules = GateScript.spf
    var mixed = MixedAction.junk
    var isAnswered = true
    var patience = Duration.seconds(2)
    /// What is remembered: the recipients of a message that was put off, refused and accepted ones.
    var remembered: (refused: [String], accepted: [String])?
    let lines: String

    var testDescription: String { name }

    static let spf = Sample.rule("reject", when: "spf = \"fail\", recipient_domains = \"a.example\"")
    static let late = Sample.rule("reject", when: "dkim = \"fail\", recipient_domains = \"a.example\"")

    /// The lines with what the gate really says.
    func played() throws -> String {
        let configuration = try Configuration.parse(rules, file: "t")
        let engine = PolicyEngine(rules: configuration.rules, mode: .enforce, mixed: mixed)
        var gate = RecipientGate(engine, isAnswered: isAnswered, patience: patience, remembered: putOff(engine))
        var facts = PolicyFacts()
        var isComplete = false
        var played = [String]()
        var number = 0
        for line in lines.split(separator: "\n") {
            let command = line.split(separator: " -> ").first.map(String.init) ?? ""
            let words = command.split(separator: " ").map(String.init)
            var decision: RecipientGate.Decision?
            switch words[0] {
            case "rcpt": decision = gate.recipient(Array(words[1].utf8), facts, isComplete: isComplete)
            case "checked", "late":
                let isLate = words[0] == "late"
                let waited = Duration.milliseconds(Int(words[1]) ?? 0)
                decision = gate.settle(number, facts, isComplete: isComplete, after: waited, isLate: isLate)
            case let known where known.hasPrefix("spf="):
                facts.results.spf = ResultWord(rawValue: String(known.dropFirst(4)))
                isComplete = true
                played.append(command)
                continue
            // What is left at the end is no command.
            default: continue
            }
            if case .wait(let next, _)? = decision { number = next }
            played.append("\(command) -> \(decision.map(Self.text) ?? "-")")
        }
        played.append("taken \(gate.taken.count) refused \(gate.refused.count) sent away \(gate.sentAway.count)")
        if let obstacle = gate.obstacle { played.append("obstacle \(obstacle)") }
        return played.joined(separator: "\n")
    }

    private func putOff(_ engine: PolicyEngine) -> PutOffRecipients? {
        guard let remembered else { return nil }
        let names = remembered.refused + remembered.accepted
        var facts = PolicyFacts()
        facts.results.dkim = .fail
        let verdict = engine.atEndOfMessage(facts, engine.kinds(of: names.map { MailAddress($0) }))
        var recipients = PutOffRecipients()
        guard let mixture = verdict.mixture, recipients.add(names.map { Array($0.utf8) }, mixture) else { return nil }
        return recipients
    }

    private static func text(_ decision: RecipientGate.Decision) -> String {
        switch decision {
        case .take: "take"
        case .refuse(let verdict): "refuse \(verdict.rule?.name ?? "")"
        case .sendAway: "send away"
        case .refuseAsTooMany: "too many"
        case .wait(_, let time): "wait \(time)"
        }
    }
}

@Suite("Recipients of a message")
struct RecipientGateTests {
    private static func turns(_ count: Int, _ answers: (String, String)) -> String {
        (0..<count).flatMap { ["rcpt \($0)@a.example -> \(answers.0)", "rcpt \($0)@b.example -> \(answers.1)"] }
            .joined(separator: "\n")
    }

    private static func names(_ count: Int, _ domain: String) -> [String] { (0..<count).map { "\($0)@\(domain)" } }

    static let scripts = [
        GateScript(
            name: "what is known decides at once",
            lines: """
                spf=fail
                rcpt x@a.example -> refuse r-reject
                rcpt y@b.example -> take
                rcpt z@a.example -> refuse r-reject
                taken 1 refused 2 sent away 0
                """
        ),
        GateScript(
            name: "an open check that may decide is waited for",
            lines: """
                rcpt x@a.example -> wait 2.0 seconds
                checked 300 -> -
                spf=fail
                checked 500 -> refuse r-reject
                rcpt y@b.example -> take
                taken 1 refused 1 sent away 0
                """
        ),
        GateScript(
            name: "a recipient whom no rule can refuse does not wait",
            lines: """
                rcpt y@b.example -> take
                rcpt x@a.example -> wait 2.0 seconds
                spf=pass
                checked 10 -> take
                rcpt z@a.example -> take
                taken 3 refused 0 sent away 0
                """
        ),
        GateScript(
            name: "all recipients share one time to wait",
            lines: """
                rcpt x@a.example -> wait 2.0 seconds
                late 2000 -> take
                rcpt y@a.example -> take
                taken 2 refused 0 sent away 0
                """
        ),
        GateScript(
            name: "what is left of the time is for the next; an earlier wait is over",
            patience: .seconds(1),
            lines: """
                rcpt x@a.example -> wait 1.0 seconds
                spf=softfail
                checked 400 -> take
                late 1000 -> -
                spf=?
                rcpt y@a.example -> take
                taken 2 refused 0 sent away 0
                """
        ),
        GateScript(
            name: "an MTA that waits for no answer gets none that refuses",
            isAnswered: false,
            lines: """
                spf=fail
                rcpt x@a.example -> take
                taken 1 refused 0 sent away 0
                obstacle noAnswerToRecipients
                """
        ),
        GateScript(
            name: "recipients that were put off come in turns: the first kind is taken",
            rules: GateScript.late,
            mixed: .defer,
            remembered: (names(3, "a.example"), names(3, "b.example")),
            lines: turns(3, ("take", "send away")) + "\ntaken 3 refused 0 sent away 3\nobstacle putOffBefore"
        ),
        GateScript(
            name: "the first kind is that of the first recipient, whatever was said of it",
            rules: GateScript.late,
            mixed: .defer,
            remembered: (names(1, "a.example"), names(2, "b.example")),
            lines: """
                rcpt 1@b.example -> take
                rcpt 0@a.example -> send away
                rcpt 0@B.EXAMPLE -> take
                taken 2 refused 0 sent away 1
                obstacle putOffBefore
                """
        ),
        GateScript(
            name: "eight are sent away, the others taken",
            rules: GateScript.late,
            mixed: .defer,
            remembered: (names(10, "a.example"), names(10, "b.example")),
            lines: turns(8, ("take", "send away")) + """

                rcpt 8@b.example -> take
                rcpt 8@a.example -> take
                rcpt 9@b.example -> take
                taken 11 refused 0 sent away 8
                obstacle tooManyToSeparate
                """
        ),
        GateScript(
            name: "a recipient that was not among them is taken, and the message may be put off again",
            rules: GateScript.late,
            mixed: .defer,
            remembered: (names(1, "a.example"), names(1, "b.example")),
            lines: """
                rcpt new@b.example -> take
                rcpt 0@a.example -> take
                rcpt 0@b.example -> send away
                taken 2 refused 0 sent away 1
                """
        ),
        GateScript(
            name: "a rule refuses before anybody is sent away",
            rules: GateScript.spf + "[[rules]]\nname = \"late\"\nwhen = { dkim = \"fail\", "
                + "recipient_domains = \"c.example\" }\naction = \"reject\"\n",
            mixed: .defer,
            remembered: (["0@c.example"], ["0@a.example"]),
            lines: """
                spf=fail
                rcpt 0@a.example -> refuse r-reject
                rcpt 0@c.example -> take
                taken 1 refused 1 sent away 0
                obstacle putOffBefore
                """
        ),
    ]

    @Test("a transaction as it is scripted", arguments: scripts)
    func plays(_ script: GateScript) throws {
        #expect(try script.played() == script.lines)
    }

    @Test("mail that is not judged is taken, up to the bound (RFC 5321 § 4.5.3.1.10)")
    func unjudged() {
        var gate = RecipientGate()
        for number in 0..<RecipientGate.mostRecipients {
            #expect(gate.recipient(Array("\(number)".utf8), PolicyFacts(), isComplete: true) == .take)
        }
        #expect(gate.recipient([0x61], PolicyFacts(), isComplete: true) == .refuseAsTooMany)
        #expect(gate.hasTooMany)
    }

    @Test("facts are asked for once for each kind of recipient, not for each recipient")
    func asked() throws {
        let engine = PolicyEngine(rules: try Configuration.parse(GateScript.spf, file: "t").rules, mode: .enforce)
        var gate = RecipientGate(engine, isAnswered: true, patience: .zero, remembered: nil)
        var facts = PolicyFacts()
        facts.results.spf = .pass
        var count = 0
        func ask() -> PolicyFacts {
            count += 1
            return facts
        }
        for number in 0..<1000 {
            let mailbox = Array("\(number)@\(number.isMultiple(of: 2) ? "a" : "b").example".utf8)
            #expect(gate.recipient(mailbox, ask(), isComplete: true) == .take)
        }
        #expect(count <= 4)
        #expect(gate.kinds.count == 1000)
    }
}

@Suite("Messages that were put off")
struct PutOffMessagesTests {
    private static let mixture: Mixture? = {
        let rules = (try? Configuration.parse(GateScript.late, file: "t").rules) ?? RuleSet()
        let engine = PolicyEngine(rules: rules, mode: .enforce, mixed: .defer)
        var facts = PolicyFacts()
        facts.results.dkim = .fail
        let recipients = ["x@a.example", "y@b.example"].map { MailAddress($0) }
        return engine.atEndOfMessage(facts, engine.kinds(of: recipients)).mixture
    }()

    private let two = ["x@a.example", "y@b.example"].map { Array($0.utf8) }

    private func origin(_ client: String?, _ sender: String = "s@example.com") -> PutOffMessages.Origin {
        PutOffMessages.Origin(client.flatMap { IPAddress($0) }, sender: Array(sender.utf8))
    }

    @Test(
        "a sender is known again by its network and its MAIL FROM",
        arguments: [
            ("192.0.2.1", "s@example.com", true), ("192.0.2.254", "S@EXAMPLE.com", true),
            ("::ffff:192.0.2.9", "s@example.com", true), ("192.0.3.1", "s@example.com", false),
            ("192.0.2.1", "t@example.com", false), ("::c000:200", "s@example.com", false),
            (nil, "s@example.com", false),
        ] as [(String?, String, Bool)]
    )
    func origins(_ client: String?, _ sender: String, _ isKnown: Bool) throws {
        let messages = PutOffMessages()
        #expect(messages.remember(origin("192.0.2.1"), two, try #require(Self.mixture), now: 0))
        #expect((messages.recipients(of: origin(client, sender), now: 1) != nil) == isKnown)
    }

    @Test("an IPv6 client stands for its /64")
    func v6() throws {
        let messages = PutOffMessages()
        #expect(messages.remember(origin("2001:db8::1"), two, try #require(Self.mixture), now: 0))
        #expect(messages.recipients(of: origin("2001:db8::ffff:1"), now: 1) != nil)
        #expect(messages.recipients(of: origin("2001:db8:0:1::1"), now: 1) == nil)
    }

    @Test("recipients of one rule are of one group; four hours later, or once dealt with, nothing is known")
    func lifetime() throws {
        let messages = PutOffMessages()
        let sender = origin("192.0.2.1")
        #expect(messages.remember(sender, two, try #require(Self.mixture), now: 1000))
        let recipients = try #require(messages.recipients(of: sender, now: UnixTime(1000 + 4 * 3600 - 1)))
        #expect(recipients.count == 2)
        #expect(recipients.group(of: two[0]) != nil)
        #expect(recipients.group(of: two[0]) != recipients.group(of: two[1]))
        #expect(recipients.group(of: Array("z@c.example".utf8)) == nil)
        #expect(messages.recipients(of: sender, now: UnixTime(1000 + 4 * 3600)) == nil)
        messages.forget(sender, [two[0]])
        #expect(messages.recipients(of: sender, now: 1001)?.count == 1)
        messages.forget(sender, [two[1]])
        #expect(messages.count == 0)
    }

    @Test("the oldest go for the latest, in number and in octets, and what is renewed is not old")
    func bounds() throws {
        let mixture = try #require(Self.mixture)
        let messages = PutOffMessages()
        let first = origin("192.0.2.1", "first@example.com")
        #expect(messages.remember(first, two, mixture, now: 0))
        for number in 0..<PutOffMessages.mostOrigins {
            #expect(messages.remember(origin("192.0.2.1", "\(number)@example.com"), two, mixture, now: 1))
            if number == 5000 { #expect(messages.remember(first, two, mixture, now: 2)) }
        }
        #expect(messages.count == PutOffMessages.mostOrigins)
        #expect(messages.recipients(of: first, now: 3) != nil)
        #expect(messages.recipients(of: origin("192.0.2.1", "0@example.com"), now: 3) == nil)
        let long = String(repeating: "a", count: 100_000)
        for number in 0..<100 { #expect(messages.remember(origin(nil, "\(number)" + long), two, mixture, now: 4)) }
        #expect(messages.count < 30)
        // What is over goes as soon as anything is remembered.
        #expect(messages.remember(first, two, mixture, now: 4 + 4 * 3600))
        #expect(messages.count == 1)
    }

    @Test("a sender's recipients are bounded, and one that is renewed again and again takes no room")
    func recipients() throws {
        let mixture = try #require(Self.mixture)
        let messages = PutOffMessages()
        let sender = origin("192.0.2.1")
        let many = (0..<PutOffRecipients.most).map { Array("\($0)@a.example".utf8) }
        #expect(!messages.remember(sender, many + two, mixture, now: 0))
        #expect(messages.count == 0)
        for _ in 0..<50_000 { #expect(messages.remember(sender, two, mixture, now: 1)) }
        #expect(messages.count == 1)
    }
}
