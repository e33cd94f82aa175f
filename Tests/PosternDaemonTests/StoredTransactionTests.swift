import MailSyntax
import Policy
import PosternConfiguration
import TestSupport
import Testing

@testable import PosternDaemon
@testable import RuleTrial

/// A transaction that the gate and the rules judge, and that is then judged again from what is stored of it.
private struct Transaction {
    let engine: PolicyEngine
    let facts: PolicyFacts
    let isAnswered: Bool
    /// For each recipient: its address, and the checks that have ended when it comes.
    let recipients: [(mailbox: [UInt8], known: [Check])]

    /// What the daemon does, and what is stored of it.
    func judged() -> (verdict: PolicyVerdict, refused: [PolicyVerdict], stored: StoredFacts) {
        var gate = RecipientGate(engine, isAnswered: isAnswered, patience: .seconds(1), remembered: nil)
        var groups = (taken: [[Check]](), refused: [[Check]]())
        for (mailbox, known) in recipients {
            let envelope = facts.ofEnvelope(knowing: PerCheck { known.contains($0) })
            let isComplete = known.count == 3
            var decision = gate.recipient(mailbox, envelope, isComplete: isComplete)
            if case .wait(let number, _) = decision {
                decision =
                    gate.settle(number, envelope, isComplete: isComplete, after: .zero, isLate: true) ?? decision
            }
            if case .refuse = decision { groups.refused.append(known) } else { groups.taken.append(known) }
        }
        var stored = StoredFacts()
        stored.facts = facts
        stored.recipients = (gate.taken + gate.refused).map { MailAddress($0[...]) }
        stored.early = (groups.taken + groups.refused).enumerated().filter { $0.element.count < 3 }
            .map { StoredFacts.Early(known: $0.element, recipients: [$0.offset]) }
        stored.isAnswered = isAnswered
        stored.obstacle = gate.obstacle
        stored.recorded.mode = engine.mode
        stored.hasContent = !gate.taken.isEmpty
        let end = gate.taken.isEmpty ? gate.refusals.first : nil
        return (end ?? engine.atEndOfMessage(facts, gate.kinds, obstacle: gate.obstacle), gate.refusals, stored)
    }
}

@Suite("Stored transactions")
struct StoredTransactionTests {
    private static let rules = [
        Sample.rule("reject", when: "spf = \"fail\", recipient_domains = \"a.example\""),
        Sample.rule("accept", when: "client_names = \".b.example\"") + Sample.rule("reject"),
        Sample.rule("reject", "unless = { iprev = \"pass\" }"),
        Sample.rule("reject", "observe = true") + Sample.rule("junk", when: "dkim = \"fail\""),
        Sample.rule("accept", when: "recipients = \"postmaster@\"")
            + Sample.rule("tempfail", when: "iprev = [\"fail\", \"temperror\"], recipient_domains = \"a.example\"")
            + Sample.rule("reject", when: "dmarc = \"fail\""),
        Sample.rule("mark", when: "spf_helo = \"fail\"")
            + Sample.rule("quarantine", when: "dkim = \"fail\", recipient_domains = \"b.example\"")
            + Sample.rule("reject", when: "dkim = \"fail\", spf = \"fail\", recipient_domains = \"a.example\"")
            + Sample.rule("discard", when: "dkim = \"fail\", recipient_domains = \"c.example\""),
    ]

    private static func transaction(_ engine: PolicyEngine, _ random: inout SeededGenerator) throws -> Transaction {
        func one<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }
        let words: [ResultWord] = [.pass, .fail, .fail, .none, .temperror]
        var facts = PolicyFacts()
        facts.results = PerCheck { _ in one(words) }
        facts.client = IPAddress("192.0.2.1")
        facts.clientNames = facts.results.iprev == .pass ? [try DomainName("mail.b.example")] : []
        facts.helo = "mail.b.example"
        facts.mailFrom = MailAddress("x@c.example")
        facts.pra = MailAddress("x@c.example")
        facts.fromDomains = [try DomainName("c.example")]
        facts.fromCount = 1
        facts.author = .readable
        facts.authenticated = false
        facts.dkimDomains = []
        facts.dkimAligned = .fail
        // Checks end while recipients come, and none ends twice.
        var known: [Check] = one([[.spf, .spfHelo, .iprev], [.spf], [.iprev], []])
        let addresses = ["x@a.example", "y@a.example", "x@b.example", "postmaster@a.example", "x@c.example"]
        let recipients = (0..<one([1, 1, 2, 3, 5])).map { _ in
            if one([true, false, false]) { known = [.spf, .spfHelo, .iprev] }
            return (mailbox: Array(one(addresses).utf8), known: known)
        }
        return Transaction(engine: engine, facts: facts, isAnswered: one([true, true, false]), recipients: recipients)
    }

    @Test("what is stored of a transaction gives its verdict again", arguments: rules, MixedAction.allCases)
    func replays(_ rules: String, _ mixed: MixedAction) throws {
        var random = SeededGenerator(seed: UInt64(rules.count))
        let configuration = try Configuration.parse(rules, file: "t")
        for round in 0..<500 {
            let engine = PolicyEngine(
                rules: configuration.rules,
                mode: round % 5 == 0 ? .observe : .enforce,
                mixed: mixed,
                undecided: round % 2 == 0 ? .accept : .tempfail
            )
            let (verdict, refused, stored) = try Self.transaction(engine, &random).judged()
            let trial = try Trial(engine).verdict(StoredFacts(octets: stored.octets))
            #expect(trial.verdict == verdict)
            #expect(trial.refusals.map(\.verdict) == refused)
        }
    }

    @Test("who is sent away early takes no place among those who are answered early")
    func sentAway() throws {
        let rules =
            Sample.rule("junk", when: "dkim = \"fail\", recipient_domains = \"a.example\"") + Sample.rule("reject")
        let engine = PolicyEngine(rules: try Configuration.parse(rules, file: "t").rules, mode: .enforce, mixed: .defer)
        let names = ["x@a.example", "z@a.example", "y@b.example"].map { Array($0.utf8) }
        var facts = PolicyFacts()
        (facts.results.dkim, facts.results.spf) = (.fail, .fail)
        let mixture = engine.atEndOfMessage(facts, engine.kinds(of: names.map { MailAddress($0[...]) })).mixture
        var remembered = PutOffRecipients()
        #expect(remembered.add(names, try #require(mixture)))
        var gate = RecipientGate(engine, isAnswered: true, patience: .zero, remembered: remembered)
        #expect(gate.recipient(names[0], PolicyFacts(), isComplete: false) == .take)
        #expect(gate.recipient(names[2], PolicyFacts(), isComplete: false) == .sendAway)
        (facts.results.dkim, facts.results.spf) = (nil, .pass)
        #expect(gate.recipient(names[1], facts, isComplete: true) == .take)
        #expect(gate.early.values.map { $0 } == [[0]])
    }
}
