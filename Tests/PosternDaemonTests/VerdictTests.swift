import DKIM
import MailAuthentication
import MailSyntax
import MilterProtocol
import Policy
import Testing

@testable import PosternDaemon

@Suite("Verdicts for the MTA")
struct VerdictTests {
    @Test("postern(8), Header fields: forged fields go from the last, new ones come to the top in reverse")
    func order() async throws {
        let judgement = try await Sample.judgement(
            fields: [
                "Authentication-Results: mx.example.org; spf=pass", "X-SID-Result: Pass",
                "Authentication-Results: other.example; spf=pass", "From: a@example.com",
                "authentication-results: mx.example.org; dkim=pass", "X-SID-Result: Pass",
            ]
        )
        let verdict = MilterVerdict(judgement)
        let changes = verdict.modifications.map { change in
            switch change {
            case .changeHeader(let name, let index, let value): "-\(name.text)#\(index)\(value.text)"
            case .insertHeader(let index, let name, _): "+\(name.text)#\(index)"
            default: "?"
            }
        }
        #expect(
            changes == [
                "-X-SID-Result#2", "-authentication-results#3", "-X-SID-Result#1", "-Authentication-Results#1",
                "+X-DKIM-Result#0", "+X-SID-Result#0", "+X-SID-PRA#0", "+Authentication-Results#0",
            ]
        )
        #expect(verdict.response == .continue)
    }

    @Test(
        "each action has its response",
        arguments: [
            ("accept", MilterResponse.continue), ("mark", .continue), ("junk", .continue),
            ("quarantine", .continue), ("discard", .discard),
        ]
    )
    func responses(_ action: String, _ response: MilterResponse) async throws {
        let verdict = MilterVerdict(try await Sample.judgement(rules: Sample.rule(action)))
        #expect(verdict.response == response)
        let held = verdict.modifications.contains(.quarantine(reason: Octets("postern: r-quarantine")))
        #expect(held == (action == "quarantine"))
        let flagged = verdict.modifications.contains(
            .insertHeader(index: 0, name: Octets("X-Spam-Flag"), value: Octets("YES"))
        )
        #expect(flagged == (action == "junk"))
    }

    @Test(
        "refusals carry the rule's reply (RFC 7372 § 3.2 for SPF)",
        arguments: [
            ("reject", "", 550, "5.7.23"), ("tempfail", "", 451, "4.7.23"),
            ("reject", "reply = \"554 5.7.1 100% forged\"", 554, "5.7.1"),
        ]
    )
    func refusals(_ action: String, _ more: String, _ code: UInt16, _ enhanced: String) async throws {
        let judgement = try await Sample.judgement(rules: Sample.rule(action, more))
        guard case .reply(let reply) = MilterVerdict(judgement).response else {
            Issue.record("no reply")
            return
        }
        #expect(reply.code == code)
        #expect(reply.enhancedStatus == enhanced)
        // Postfix and Sendmail expand the text of SMFIR_REPLYCODE as a format: every % is doubled.
        if !more.isEmpty { #expect(reply.octets[...].text == "554 5.7.1 100%% forged") }
    }

    @Test("observe mode changes no response")
    func observe() async throws {
        let judgement = try await Sample.judgement(rules: Sample.reject, mode: "observe")
        #expect(judgement.verdict.would?.action == .reject)
        #expect(MilterVerdict(judgement).response == .continue)
    }

    @Test("signatures come to the top, the first key's first, without the space that the writer brings")
    func signatures() {
        let outcome = OutgoingMessage.Outcome(signatures: [Array(" a=1".utf8), Array("a=2".utf8)])
        #expect(
            MilterVerdict(outcome, removing: []).modifications == [
                .insertHeader(index: 0, name: Octets("DKIM-Signature"), value: Octets("a=2")),
                .insertHeader(index: 0, name: Octets("DKIM-Signature"), value: Octets("a=1")),
            ]
        )
        #expect(MilterVerdict(nil, removing: []) == MilterVerdict(.continue))
        var headers = HeaderBlock()
        for _ in 0..<2 { headers.append(name: "X-SID-Result".utf8, value: " Pass".utf8) }
        var forged = ForgedFields(HeaderSettings(authservID: Octets("mx.example.org")))
        forged.add(headers)
        let removals: [MilterModification] = [2, 1].map {
            .changeHeader(name: Octets("X-SID-Result"), index: $0, value: [])
        }
        #expect(MilterVerdict(nil, removing: forged.deleted).modifications == removals)
        #expect(MilterVerdict(.continue, removing: forged.deleted).modifications == removals)
    }
}
