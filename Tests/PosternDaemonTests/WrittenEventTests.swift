import FoundationEssentials
import MailAuthentication
import MailEvents
import MailSyntax
import Policy
import RuleTrial
import Testing

@testable import PosternDaemon

@Suite("Facts of written events")
struct WrittenEventTests {
    /// A message, as arguments of `Sample.judgement`.
    struct Mail: Sendable {
        var client = "192.0.2.1"
        var helo = "mail.example.com"
        var sender = "a@example.com"
        var fields = ["From: a@example.com"]
        var dmarc = "v=DMARC1; p=reject"
    }

    static let mails = [
        Mail(), Mail(client: "192.0.2.9"), Mail(client: "2001:db8::1"), Mail(sender: ""),
        Mail(sender: "\"a@b\"@example.com"), Mail(sender: "<<a@example.com>>"), Mail(sender: "a\u{7}\\@ex ample.com"),
        Mail(helo: "[IPv6:2001:db8::1]"), Mail(helo: ""), Mail(helo: "ümlaut.example\u{1B}"),
        Mail(fields: ["From: a@example.com, b@other.example", "Sender: c@example.com"]), Mail(fields: ["From: ,"]),
        Mail(fields: ["To: x@example.org"]), Mail(fields: ["From: a@sub.example.com", "Resent-From: r@b.example"]),
        Mail(fields: ["From: a@b\\c.example.com"]), Mail(fields: ["From: a@bücher.example"]),
        Mail(fields: [
            "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=AA==; b=AA==", "From: a@x.net",
        ]),
        Mail(client: "192.0.2.9", dmarc: "v=DMARC1; p=reject; t=y"), Mail(client: "192.0.2.9", dmarc: "no record"),
    ]

    @Test("an event tells all that the rules knew", arguments: mails)
    func facts(_ mail: Mail) async throws {
        let judgement = try await Sample.judgement(
            rules: Sample.reject,
            client: mail.client,
            helo: mail.helo,
            sender: mail.sender,
            fields: mail.fields,
            dmarc: mail.dmarc
        )
        let event = try Self.event(judgement, .full)
        let known = judgement.assessment.facts(judgement.envelope)
        #expect(String(reflecting: try PolicyFacts(event)) == String(reflecting: known))
        let stored = try StoredFacts(octets: StoredFacts(event).octets)
        #expect(String(reflecting: stored.facts) == String(reflecting: known))
        #expect(stored.subject == .judged && stored.hasContent)
        #expect(stored.recorded.action.rawValue == judgement.verdict.action.rawValue)
    }

    @Test("without local parts, an event tells all that it may", arguments: mails)
    func domainsOnly(_ mail: Mail) async throws {
        let judgement = try await Sample.judgement(client: mail.client, sender: mail.sender, fields: mail.fields)
        let facts = try PolicyFacts(Self.event(judgement, .domains))
        let known = judgement.assessment.facts(judgement.envelope)
        #expect(facts.mailFrom?.domain == known.mailFrom?.host && facts.pra?.domain == known.pra?.host)
        #expect(facts.results == known.results)
    }

    @Test("mail of programs is called so, and other mail costs no octet", arguments: [false, true])
    func automatic(_ isAutomatic: Bool) async throws {
        let judgement = try await Sample.judgement()
        var transcript = Transcript()
        transcript.isAutoSubmitted = isAutomatic
        let form = EventForm(host: "mx", addresses: .full, hasCleanAnswers: false, hasUncleanAnswers: false)
        let line = Self.line(form, judgement, transcript)
        #expect(try MailEvent(line: line.dropLast()).autoSubmitted == (isAutomatic ? true : nil))
        #expect(line[...].text.contains("auto_submitted") == isAutomatic)
    }

    private static func line(_ form: EventForm, _ judgement: Judgement, _ transcript: Transcript) -> [UInt8] {
        var text = JSONText()
        form.write(judgement, transcript, isClean: false, problem: nil, to: &text)
        return Array(text.octets)
    }

    private static func event(_ judgement: Judgement, _ addresses: MailEvent.Addresses) throws -> MailEvent {
        let form = EventForm(host: "mx", addresses: addresses, hasCleanAnswers: true, hasUncleanAnswers: true)
        var transcript = Transcript()
        transcript.envelope = judgement.envelope
        transcript.isTrusted = judgement.envelope.isTrusted
        let line = Self.line(form, judgement, transcript)
        let event = try JSONDecoder().decode(MailEvent.self, from: Data(line))
        #expect(try MailEvent(line: line.dropLast()) == event)
        return event
    }
}

extension MailAddress {
    /// The domain that may be written: that of a host.
    fileprivate var host: DomainName? { domain.flatMap { $0.isHostName ? $0 : nil } }
}
