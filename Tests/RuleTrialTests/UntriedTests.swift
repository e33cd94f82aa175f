import MailEvents
import MailSyntax
import Policy
import PosternConfiguration
import Testing

@testable import RuleTrial

@Suite("What cannot be tried")
struct UntriedTests {
    private static func trial(_ when: String, mode: String = "enforce", action: String = "reject") throws -> Trial {
        let text = "mode = \"\(mode)\"\n[[rules]]\nname = \"r\"\nwhen = { \(when) }\naction = \"\(action)\"\n"
        let configuration = try Configuration.parse(text, file: "t")
        return Trial(PolicyEngine(rules: configuration.rules, mode: configuration.mode))
    }

    private static func message(_ change: (inout StoredFacts) -> Void) -> StoredFacts {
        var stored = StoredFacts()
        stored.facts.results = PerCheck { _ in .fail }
        stored.facts.clientNames = []
        stored.facts.mailFrom = MailAddress("a@example.com")
        stored.facts.pra = MailAddress("a@example.com")
        stored.recipients = [MailAddress("b@example.net")]
        stored.hasContent = true
        change(&stored)
        return stored
    }

    @Test(
        "mail that was not judged",
        arguments: [
            (StoredFacts.Subject.unjudged, Untried.unjudged), (.outbound, .outbound), (.unreadable, .unreadable),
        ]
    )
    func notJudged(_ subject: StoredFacts.Subject, _ reason: Untried) throws {
        let trial = try Self.trial("spf = \"fail\"")
        #expect(throws: reason) { try trial.verdict(Self.message { $0.subject = subject }) }
    }

    @Test("what a relay passed on that did not name the client is flagged, even where relays are refused")
    func unreadableRelay() throws {
        let message = Self.message { ($0.isRelayed, $0.isRelayUnreadable) = (true, true) }
        let stored = try StoredFacts(octets: message.octets)
        let refusing = Trial(try Self.trial("spf = \"fail\"").engine, refusesRelayed: true)
        let verdict = try refusing.verdict(stored).verdict
        #expect(verdict.action == .junk && verdict.relayed == .reject)
    }

    @Test("what a relay of our own passed on is flagged at the end, or refused where relays are")
    func relayed() throws {
        let message = try StoredFacts(octets: Self.message { $0.isRelayed = true }.octets)
        let trial = try Self.trial("spf = \"fail\"")
        let verdict = try trial.verdict(message)
        #expect(verdict.verdict.action == .junk && verdict.verdict.relayed == .reject && verdict.refusals.isEmpty)
        let refusing = try Trial(trial.engine, refusesRelayed: true).verdict(message)
        #expect(refusing.verdict.action == .reject && refusing.verdict.stage == .endOfMessage)
    }

    @Test("a header that enforce mode refuses")
    func problem() throws {
        let message = Self.message { $0.hasProblem = true }
        #expect(throws: Untried.problem) { try Self.trial("spf = \"fail\"").verdict(message) }
        #expect(try Self.trial("spf = \"fail\"", mode: "observe").verdict(message).verdict.would != nil)
    }

    @Test("a message that never came, unless its recipients are all refused again", arguments: ["enforce", "observe"])
    func noContent(_ mode: String) throws {
        let message = Self.message { $0.hasContent = false }
        let again = try Self.trial("spf = \"fail\"", mode: mode).verdict(message).verdict
        #expect((again.would?.stage ?? again.stage) == .rcpt)
        #expect(throws: Untried.noContent) { try Self.trial("spf = \"softfail\"", mode: mode).verdict(message) }
        #expect(throws: Untried.noContent) { try Self.trial("dkim = \"fail\"", mode: mode).verdict(message) }
    }

    @Test(
        "local parts that are not known, where the verdict depends on them",
        arguments: [
            ("spf = \"fail\", recipients = [\"b@example.net\"]", Untried.noLocalParts),
            ("spf = \"fail\", recipients = [\"!postmaster@\"]", .noLocalParts),
            ("spf = \"fail\", recipients = [\"@example.net\"]", nil),
            ("spf = \"fail\", recipient_domains = \"example.net\"", nil),
            // The rule cannot match, whoever the recipient is.
            ("spf = \"pass\", recipients = [\"b@example.net\"]", nil),
            ("dkim = \"pass\", recipients = [\"b@example.net\"]", nil),
        ] as [(String, Untried?)]
    )
    func localParts(_ when: String, _ reason: Untried?) throws {
        let message = Self.message { stored in
            stored.addresses = .domains
            stored.recipients = [MailAddress(mailbox: Octets("@example.net"))]
        }
        let trial = try Self.trial(when)
        #expect(Self.reason { try trial.verdict(message) } == reason)
    }

    @Test("a rule before one that refuses before DATA asks about local parts")
    func earlyLocalParts() throws {
        let text = """
            [[rules]]
            name = "x"
            when = { dkim = "pass", recipients = ["b@example.net"] }
            action = "accept"
            [[rules]]
            name = "r"
            when = { spf = "fail" }
            action = "reject"

            """
        let configuration = try Configuration.parse(text, file: "t")
        let message = Self.message { $0.addresses = .domains }
        let trial = Trial(PolicyEngine(rules: configuration.rules, mode: .enforce))
        #expect(throws: Untried.noLocalParts) { try trial.verdict(message) }
    }

    @Test("recipients without a name matter only to rules about recipients")
    func unnamed() throws {
        let message = Self.message { $0.unnamed = 1 }
        #expect(try Self.trial("spf = \"fail\"").verdict(message).verdict.action == .reject)
        #expect(throws: Untried.unnamedRecipients) {
            try Self.trial("spf = \"fail\", recipient_domains = \"example.net\"").verdict(message)
        }
    }

    @Test("a check that was not made leaves open the rules that ask about it, and no others")
    func openRules() throws {
        let message = Self.message { $0.facts.forget(.iprev) }
        #expect(try Self.trial("iprev = \"fail\"").openRules(message).map(\.check) == [.iprev])
        #expect(try Self.trial("client_names = \"a.example\"").openRules(message).map(\.check) == [.iprev])
        #expect(try Self.trial("iprev = \"fail\", spf = \"pass\"").openRules(message).isEmpty)
        #expect(try Self.trial("spf = \"fail\"").openRules(message).isEmpty)
        // A local client has no address, whatever is checked.
        #expect(try Self.trial("clients = \"192.0.2.0/24\"").openRules(message).isEmpty)
        let noSenderID = Self.message { stored in
            stored.facts.forget(.senderID)
            stored.facts.pra = nil
        }
        #expect(try Self.trial("sender_domains = \"x.example\"").openRules(noSenderID).map(\.check) == [.senderID])
        #expect(try Self.trial("sender_domains = \"example.com\"").openRules(noSenderID).isEmpty)
    }

    @Test(
        "a fact that nobody looked up then, where the verdict depends on it",
        arguments: [
            ("permitted_by = \"a.example\"", Untried.notRecorded), ("list_verified = true", .notRecorded),
            ("spf_open = true", .notRecorded), ("forwarded = true", .notRecorded),
            ("list_id = \"a.example\"", .notRecorded),
            ("spf = \"pass\", permitted_by = \"a.example\"", nil),
        ] as [(String, Untried?)]
    )
    func notRecorded(_ when: String, _ reason: Untried?) throws {
        let trial = try Self.trial(when)
        #expect(Self.reason { try trial.verdict(Self.message { _ in }) } == reason)
        let known = Self.message { stored in
            stored.facts.listDomains = []
            (stored.facts.listVerified, stored.facts.forwarded, stored.facts.spfOpen) = (.no, .no, .no)
            stored.facts.permittedBy = []
        }
        #expect(try trial.verdict(known).verdict.action == .accept)
    }

    @Test("a forwarder that is trusted now excuses mail of then")
    func forwarder() throws {
        let text = """
            [[trusted_forwarders]]
            name = "f"
            clients = "192.0.2.0/24"
            [[rules]]
            name = "r"
            when = { dmarc = "fail" }
            action = "reject"

            """
        let configuration = try Configuration.parse(text, file: "t")
        let engine = PolicyEngine(rules: configuration.rules, forwarders: configuration.forwarders, mode: .enforce)
        let message = Self.message { $0.facts.client = IPAddress("192.0.2.9") }
        let verdict = try Trial(engine).verdict(message).verdict
        #expect(verdict.action == .accept && verdict.excuse?.description == "trusted_forwarder/f")
        #expect(try Trial(engine).verdict(Self.message { _ in }).verdict.action == .reject)
    }

    @Test("a check that the new configuration does not make is not used")

    func off() throws {
        let engine = try Self.trial("spf = \"fail\"").engine
        let trial = Trial(engine, checks: [.dkim, .dmarc, .iprev, .senderID])
        let message = Self.message { _ in }
        #expect(try trial.verdict(message).verdict.action == .accept)
        #expect(trial.openRules(message).isEmpty)
    }

    private static func reason(_ judge: () throws -> TrialVerdict) -> Untried? {
        do {
            _ = try judge()
            return nil
        } catch {
            return error as? Untried
        }
    }
}
