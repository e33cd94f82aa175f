import MailSyntax
import Policy
import PosternConfiguration
import Testing

@testable import RuleTrial

@Suite("One stored message, judged again")
struct ReplayTests {
    private static let rules = """
        [[rules]]
        name = "friend"
        when = { clients = "198.51.100.0/24" }
        action = "accept"
        [[rules]]
        name = "spf-strict"
        when = { spf = "fail", recipient_domains = "a.example" }
        action = "reject"

        """

    private static func replay(_ mode: String, _ recipients: [String], hasContent: Bool = true) throws -> Replay {
        let configuration = try Configuration.parse("mode = \"\(mode)\"\n" + rules, file: "t")
        var stored = StoredFacts()
        stored.hasContent = hasContent
        stored.facts.client = IPAddress("192.0.2.1")
        stored.facts.mailFrom = MailAddress("x@b.example")
        stored.facts.results.spf = .fail
        stored.recipients = recipients.map { MailAddress($0) }
        return Replay(Trial(PolicyEngine(rules: configuration.rules, mode: configuration.mode)), stored)
    }

    @Test("the verdict, who is refused, and each rule")
    func refused() throws {
        let replay = try Self.replay("enforce", ["x@a.example", "\u{1B}[2J@a.example", "y@b.example"])
        #expect(replay.refused.map(\.recipient) == ["x@a.example", "?[2J@a.example"])
        #expect(replay.action == "accept" && replay.rules.count == 2)
        let text = """
            replay       accept, no rule decides
              refused    x@a.example: reject by rule "spf-strict"
              refused    ?[2J@a.example: reject by rule "spf-strict"
            rules for recipients of kind 1
              friend, t:2: accept: does not match
                  no  line 4: clients = "198.51.100.0/24"; it is 192.0.2.1
              spf-strict, t:6: reject: MATCHES AND DECIDES
                  yes line 8: spf = "fail"; it is fail
                  yes line 8: recipient_domains = "a.example"; it is a.example
            rules for recipients of kind 2
              friend, t:2: accept: does not match
                  no  line 4: clients = "198.51.100.0/24"; it is 192.0.2.1
              spf-strict, t:6: reject: does not match
                  yes line 8: spf = "fail"; it is fail
                  no  line 8: recipient_domains = "a.example"; it is b.example

            """
        #expect(replay.text == text)
    }

    @Test("in observe mode, what enforce mode would do")
    func observed() throws {
        let replay = try Self.replay("observe", ["x@a.example"])
        let first = #"replay       accept (observe mode; enforced: reject by rule "spf-strict", stage rcpt)"#
        #expect(replay.text.hasPrefix(first + "\n"))
    }

    @Test("why it is not possible")
    func untried() throws {
        let replay = try Self.replay("enforce", ["y@b.example"], hasContent: false)
        #expect(replay.action == nil && replay.rules.isEmpty)
        #expect(replay.text == "replay       not possible: \(Untried.noContent.rawValue)\n")
    }
}
