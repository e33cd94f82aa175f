import MailSyntax
import Policy
import PosternConfiguration
import Testing

@testable import RuleTrial

@Suite("Report of a trial")
struct TallyTests {
    private static let rules = """
        mode = "enforce"
        [[rules]]
        name = "friend"
        when = { client_names = "out.friend.example" }
        action = "accept"
        [[rules]]
        name = "spf-strict"
        when = { spf = "fail" }
        unless = { helo = "exempt.example" }
        action = "reject"
        [[rules]]
        name = "new"
        when = { dmarc = "fail" }
        action = "quarantine"
        observe = true
        [[rules]]
        name = "no-name"
        when = { iprev = "fail" }
        action = "junk"
        [[rules]]
        name = "never"
        when = { dkim = "permerror" }
        action = "discard"

        """

    private static func message(_ author: String, _ change: (inout StoredFacts) -> Void = { _ in }) throws
        -> StoredFacts
    {
        var stored = StoredFacts()
        stored.hasContent = true
        stored.facts.results = PerCheck { _ in .pass }
        stored.facts.client = IPAddress("192.0.2.1")
        stored.facts.clientNames = []
        stored.facts.helo = "mail.example"
        stored.facts.mailFrom = MailAddress("a@\(author)")
        stored.facts.pra = MailAddress("a@\(author)")
        stored.facts.fromDomains = [try DomainName(author)]
        stored.facts.dkimAligned = .pass
        stored.recipients = [MailAddress("b@example.net")]
        stored.recorded.mode = .enforce
        change(&stored)
        return stored
    }

    private static func tally() throws -> TrialTally {
        let configuration = try Configuration.parse(rules, file: "t")
        var tally = TrialTally(Trial(PolicyEngine(rules: configuration.rules, mode: configuration.mode)))
        var number = 0
        func add(_ author: String, _ change: (inout StoredFacts) -> Void = { _ in }) throws {
            number += 1
            let id = "Q\(number)"
            tally.add(try message(author, change).octets) { id }
        }
        for _ in 0..<90 { try add("a.example") }
        for author in ["a.example", "b.example", "c.example", "a.example"] {
            try add(author) { stored in
                stored.facts.results.spf = .fail
                stored.facts.clientNames = [try? DomainName("list.example")].compactMap { $0 }
            }
        }
        for number in 0..<4 {
            try add("spam.example") { stored in
                stored.facts.client = IPAddress("203.0.113.\(number)")
                stored.facts.results = PerCheck { _ in .fail }
                stored.facts.dkimAligned = .fail
                stored.recorded.action = .reject
                stored.recorded.stage = .rcpt
                stored.recorded.rule = "spf-strict"
                stored.recorded.refuse(0, .reject, "spf-strict")
                if number == 0 { stored.facts.helo = "exempt.example" }
            }
        }
        try add("d.example") { $0.facts.forget(.iprev) }
        try add("e.example") { $0.subject = .outbound }
        tally.add([9]) { nil }
        tally.add([1, 0]) { nil }
        return tally
    }

    @Test("what is counted")
    func counts() throws {
        let report = TrialReport(try Self.tally())
        #expect(report.tried == 99)
        #expect(report.actions.accept == 91 && report.actions.reject == 7 && report.actions.junk == 1)
        #expect(report.honest.reject == 4 && report.honest.withheld == 4)
        #expect(report.unchanged == 94 && report.otherRules == 0)
        #expect(report.changes.map(\.then) == ["accept", "reject"])
        #expect(report.changes.map(\.now) == ["reject", "junk"])
        #expect(report.changes.map(\.messages) == [4, 1])
        #expect(report.changes.first?.samples == ["Q91", "Q92", "Q93", "Q94"])
        #expect(report.untried.map(\.messages) == [1, 1, 1])
    }

    @Test("what is counted of each rule")
    func rules() throws {
        let rules = TrialReport(try Self.tally()).rules
        #expect(rules.map(\.matched) == [0, 7, 1, 1, 0])
        #expect(rules.map(\.exempted) == [0, 1, 0, 0, 0])
        #expect(rules.map(\.lacked) == [["iprev": 1], [:], [:], ["iprev": 1], [:]])
        #expect(rules.map(\.onTrial) == [0, 0, 1, 0, 0])
        let strict = rules[1]
        #expect(strict.hits.authors.first?.name == "spam.example" && strict.hits.authors.first?.count == 3)
        #expect(strict.hits.clients.map(\.name) == ["list.example", "203.0.113.0/24"])
        #expect(strict.honest.messages == 4 && strict.honest.clients.map(\.count) == [4])
        #expect(strict.honest.forwarders.map(\.name) == ["list.example"])
        #expect(strict.honest.forwarders.map(\.authors) == [3])
    }

    @Test("the text says first what matters, and fits a terminal")
    func text() throws {
        let text = TrialReport(try Self.tally()).text
        #expect(text == Self.expected)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    private static let expected = """
        Can these rules be enforced? Look first at 4 of 99 messages: they are proven
        honest, and would not arrive.
        (Proven honest: it passes DMARC, or the author's domain has signed it.)

        99 messages tried
          accepted                             91   91.9 %
          flagged as junk                       1    1.0 %  0 proven honest
          refused                               7    7.1 %  4 proven honest

        HONEST MAIL THAT RULES ACT AGAINST
        spf-strict (reject): 4 messages
          authors   a.example 2, b.example 1, c.example 1
          clients   list.example 4
          forward   list.example 4 of 3 authors
          messages  Q91, Q92, Q93, Q94

        RULES
        friend (accept): no match
          lacked    iprev in 1 message
        spf-strict (reject): 7 refused, 1 exempted
          authors   spam.example 3, a.example 2, b.example 1, c.example 1
          clients   list.example 4, 203.0.113.0/24 3
          forward   list.example 4 of 3 authors
          messages  Q91, Q92, Q93, Q94, Q96
        new (quarantine, on trial): 1 would be held
          authors   spam.example 1
          clients   203.0.113.0 1
          messages  Q95
        no-name (junk): 1 junk
          authors   spam.example 1
          clients   203.0.113.0 1
          messages  Q95
          lacked    iprev in 1 message
        never matched: never

        CHANGES: then -> now
                   94  decided as then
                    4  accept -> reject
                       Q91, Q92, Q93, Q94
                    1  reject -> junk
                       Q95

        NOT TRIED
                    1  stored by another version
                    1  stored facts that cannot be read
                    1  our own mail, which no rule judges

        """

    @Test("hostile names and queue IDs reach a terminal printable")
    func hostile() throws {
        let configuration = try Configuration.parse(Self.rules, file: "t")
        var tally = TrialTally(Trial(PolicyEngine(rules: configuration.rules, mode: .enforce)))
        let hostile = try DomainName(labels: [[0x1B, 0x5B, 0x32, 0x4A], [0x0A, 0x80]])
        tally.add(
            try Self.message("a.example") { stored in
                stored.facts.results.spf = .fail
                stored.facts.fromDomains = [hostile]
                stored.facts.clientNames = [hostile]
            }
        ) { "\u{1B}[2J\u{202E}" + String(repeating: "x", count: 1000) }
        let text = TrialReport(tally).text
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value < 0x7F })
    }

    @Test("no number of names makes a table grow, and a frequent one is found")
    func bounded() {
        var table = TopTable<Int>()
        for number in 0..<10_000 { table.add(number % 3 == 0 ? -1 : number) }
        let sorted = table.sorted
        #expect(sorted.count == TopTable<Int>.capacity)
        #expect(sorted.first?.entry.key == -1 && sorted.first?.entry.count ?? 0 >= 3333)
        #expect((sorted.first?.entry.count ?? 0) - (sorted.first?.entry.over ?? 0) <= 3334)
    }

    @Test("what may be honest though nothing proves it is named")
    func unproven() throws {
        let configuration = try Configuration.parse(Self.rules, file: "t")
        var tally = TrialTally(Trial(PolicyEngine(rules: configuration.rules, mode: .enforce)))
        func add(_ author: String, _ client: String, signature: ResultWord) throws {
            let message = try Self.message(author) { stored in
                stored.facts.results = PerCheck { _ in .fail }
                stored.facts.dkimAligned = signature
                stored.facts.clientNames = [try? DomainName(client)].compactMap { $0 }
            }
            tally.add(message) { nil }
        }
        try add("shop.example", "new.shop.example", signature: .none)
        try add("a.example", "list.example", signature: .fail)
        try add("b.example", "list.example", signature: .fail)
        try add("a.example", "stranger.example", signature: .none)
        let text = TrialReport(tally).text
        #expect(text.hasPrefix("Can these rules be enforced? Yes, as far as can be proven by 4 messages"))
        #expect(text.contains("4 would not arrive that nothing proves."))
        #expect(
            text.contains(
                """
                NOT PROVEN, LOOK AT
                  new.shop.example 1 of shop.example: perhaps a host that its SPF record forgets
                  list.example 2 of 2 authors whose signatures are broken: perhaps a mailing
                  list

                """
            )
        )
    }

    @Test("without a rule, nothing would be done")
    func noRule() {
        let text = TrialReport(TrialTally(Trial(PolicyEngine(rules: RuleSet([]), mode: .enforce)))).text
        #expect(text.hasPrefix("There is no rule: nothing would be done.\n"))
    }

    @Test("with nothing to try, nobody knows")
    func empty() throws {
        let configuration = try Configuration.parse(Self.rules, file: "t")
        let tally = TrialTally(Trial(PolicyEngine(rules: configuration.rules, mode: .enforce)))
        #expect(TrialReport(tally).text.hasPrefix("Can these rules be enforced? Nobody knows"))
    }
}
