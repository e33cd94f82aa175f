import DKIM
import DMARC
import DNSLookup
import MailAuthentication
import MailSyntax
import Policy
import Testing

@Suite("Assessments")
struct AssessmentTests {
    @Test(
        "the best signature counts (RFC 6376 § 6.1: an error may hide a pass)",
        arguments: [
            ([], nil), ([.fail, .pass], .pass), ([.pass, .fail], .pass), ([.fail, .temperror], .temperror),
            ([.policy, .temperror], .temperror), ([.neutral, .policy], .policy), ([.fail, .neutral], .neutral),
            ([.permerror, .fail], .fail), ([.permerror], .permerror),
        ] as [([DKIMResult], DKIMResult?)]
    )
    func best(_ results: [DKIMResult], _ best: DKIMResult?) async throws {
        let assessment = try await Sample.assessment(signatures: results)
        #expect(assessment.bestSignature?.result == best)
        let facts = assessment.facts(Sample.envelope())
        #expect(facts.results.dkim == (best.map { ResultWord(rawValue: $0.rawValue) } ?? ResultWord.none))
        #expect(facts.dkimDomains?.count == results.count { $0 == .pass })
        // An error may hide a pass of that domain, and of no other.
        #expect(facts.unansweredDKIMDomains.count == results.count { $0 == .temperror })
        #expect(assessment.summary.results.dkim?.rawValue == best?.rawValue ?? "none")
    }

    @Test("facts are what the checks found")
    func facts() async throws {
        let zone = try Sample.zone(
            "example.com TXT v=spf1 exp=why.example.com -all",
            "why.example.com TXT Not from %{i}",
            without: ["example.com TXT"]
        )
        let envelope = Sample.envelope()
        let judgement = try await Sample.judge(["From: A <a@example.com>"], zone, envelope: envelope)
        let facts = judgement.assessment.facts(envelope)
        #expect(facts.results.spf == .fail)
        #expect(facts.results.spfHelo == .pass)
        #expect(facts.results.senderID == .fail)
        #expect(facts.results.dkim == ResultWord.none)
        #expect(facts.dkimAligned == ResultWord.none)
        #expect(facts.results.dmarc == .fail)
        #expect(facts.dmarcPolicy == .reject)
        #expect(facts.results.iprev == .pass)
        #expect(facts.client == Sample.client)
        #expect(facts.clientNames?.map(\.description) == ["mail.example.com"])
        #expect(facts.helo == "mail.example.com")
        #expect(facts.mailFrom?.text == "a@example.com")
        #expect(facts.pra?.text == "a@example.com")
        #expect(facts.fromDomains?.map(\.description) == ["example.com"])
        #expect(facts.fromCount == 1)
        #expect(envelope.addresses.map(\.text) == ["b@example.net"])
        #expect(facts.authenticated == false)
        #expect(facts.explanation == "Not from 192.0.2.1")
        #expect(facts.senderIDExplanation == "Not from 192.0.2.1")
    }

    @Test("what was not checked is not known")
    func unknown() async throws {
        let judgement = try await Sample.judge(["From: a@example.com"], try Sample.zone(), checks: [])
        let facts = judgement.assessment.facts(Sample.envelope())
        #expect(facts.results.spf == nil)
        #expect(facts.results.spfHelo == nil)
        #expect(facts.results.senderID == nil)
        // RFC 4407 § 2: the header alone says it.
        #expect(facts.pra?.text == "a@example.com")
        #expect(facts.results.dkim == nil)
        #expect(facts.dkimAligned == nil)
        #expect(facts.dkimDomains == nil)
        #expect(facts.results.dmarc == nil)
        #expect(facts.dmarcPolicy == nil)
        #expect(facts.results.iprev == nil)
        #expect(facts.clientNames == nil)
    }

    @Test("a domain without a DMARC record has an absent policy; a message without an author has no PRA")
    func absent() async throws {
        let zone = try Sample.zone(without: ["_dmarc"])
        let noRecord = try await Sample.judge(["From: a@example.com"], zone).assessment.facts(Sample.envelope())
        #expect(noRecord.results.dmarc == ResultWord.none)
        #expect(noRecord.dmarcPolicy == .absent)
        let noAuthor = try await Sample.judge(["Subject: x"], zone).assessment.facts(Sample.envelope())
        #expect(noAuthor.fromCount == 0)
        #expect(noAuthor.pra?.text == "")
    }

    @Test(
        "RFC 4407 § 2: Sender ID vouches for the author only when the responsible address is the author's",
        arguments: [
            // Fields, sender_id, sender_id_aligned
            ("From: a@example.com", "pass pass"), ("From: a@mail.example.com", "pass pass"),
            ("Sender: b@mail.example.com|From: a@example.com", "pass pass"),
            ("Sender: b@example.com|From: ceo@bank.example", "pass none"),
            ("Sender: b@bank.example|From: a@example.com", "fail none"),
            ("From: a@bank.example", "fail fail"), ("Resent-From: x|From: a@example.com", "permerror none"),
            ("Sender: b@example.com|Sender: c@example.com|From: a@example.com", "permerror none"),
            ("Sender: b@example.com|From: x@bank.example y <a@example.com>", "pass none"),
        ]
    )
    func alignedSenderID(_ fields: String, _ words: String) async throws {
        let zone = try Sample.zone("mail.example.com TXT v=spf1 ip4:192.0.2.1 -all", without: ["mail.example.com TXT"])
        let assessment = try await Sample.judge(fields.split(separator: "|").map(String.init), zone).assessment
        let facts = assessment.facts(Sample.envelope())
        #expect(
            [facts.results.senderID, facts.senderIDAligned].map { $0?.rawValue ?? "?" }.joined(separator: " ") == words
        )
    }

    @Test(
        "RFC 6376 § 3.6.1, t=y: for the rules a message that is signed in testing mode is unsigned, altered too",
        arguments: [(false, "pass none pass pass"), (true, "fail none pass pass")]
    )
    func testing(_ isAltered: Bool, _ words: String) async throws {
        let record = try Sample.signingKey().recordText()
        let zone = try Sample.zone("s._domainkey.example.com TXT \(record); t=y", without: ["s._domainkey"])
        let signed = try Sample.signed(["From: a@example.com", "Subject: x"])
        let fields = isAltered ? signed.map { $0.hasPrefix("Subject") ? $0 + "y" : $0 } : signed
        let assessment = try await Sample.judge(fields, zone).assessment
        let facts = assessment.facts(Sample.envelope())
        let found = [assessment.summary.results.dkim, facts.results.dkim, facts.results.spf, facts.results.dmarc]
        #expect(found.map { $0?.rawValue ?? "?" }.joined(separator: " ") == words)
        #expect(facts.dkimAligned == ResultWord.none)
        #expect(facts.dkimDomains == [])
    }

    @Test("RFC 6376 § 3.6.1, t=y: a signature of the same domain that is not being tested counts beside it")
    func testingBeside() async throws {
        var assessment = try await Sample.assessment(signatures: [.pass, .pass])
        assessment.dkim?[0].testing = true
        let facts = assessment.facts(Sample.envelope())
        #expect(facts.results.dkim == .pass && facts.dkimAligned == .pass)
        #expect(facts.dkimDomains == [try DomainName("example.com")])
    }

    @Test(
        "RFC 9989 § 4.7: the policy that applies is p, sp or np, one level lower under t=y",
        arguments: [
            ("a@example.com", "p=reject", "reject reject"), ("a@example.com", "p=reject; t=y", "quarantine reject"),
            ("a@example.com", "p=quarantine; t=y", "none quarantine"), ("a@example.com", "p=none; t=y", "none none"),
            ("a@mail.example.com", "p=none; sp=quarantine", "quarantine quarantine"),
            ("a@mail.example.com", "p=none; sp=reject; t=y", "quarantine reject"),
            ("a@nowhere.example.com", "p=none; sp=none; np=reject", "reject reject"),
            ("a@nowhere.example.com", "p=none; sp=none; np=quarantine; t=y", "none quarantine"),
        ]
    )
    func policies(_ author: String, _ tags: String, _ policies: String) async throws {
        let zone = try Sample.zone("_dmarc.example.com TXT v=DMARC1; \(tags)", without: ["_dmarc"])
        let assessment = try await Sample.judge(["From: \(author)"], zone).assessment
        let facts = assessment.facts(Sample.envelope())
        let words = [facts.dmarcPolicy, facts.dmarcPublished].map { $0?.rawValue ?? "?" }
        #expect(words.joined(separator: " ") == policies)
        #expect(assessment.summary.policy == words[0])
        #expect(assessment.summary.publishedPolicy == (words[0] == words[1] ? nil : words[1]))
    }

    @Test("a policy that could not be looked up is not known, rather than absent")
    func unknownPolicy() async throws {
        let zone = try Sample.zone("_dmarc.example.com FAILURE timeout", without: ["_dmarc"])
        let facts = try await Sample.judge(["From: a@example.com"], zone).assessment.facts(Sample.envelope())
        #expect(facts.results.dmarc == .temperror)
        #expect(facts.dmarcPolicy == nil)
        #expect(facts.dmarcPublished == nil)
    }

    @Test(
        "an aligned signature is one of the author's organization (RFC 9989 § 4.4.1)",
        arguments: [("a@example.com", "pass"), ("a@other.example", "none")]
    )
    func aligned(_ author: String, _ word: String) async throws {
        let zone = try Sample.zone("_dmarc.other.example TXT v=DMARC1; p=none")
        let message = try Sample.signed(["From: \(author)"])
        let facts = try await Sample.judge(message, zone).assessment.facts(Sample.envelope())
        #expect(facts.results.dkim == .pass)
        #expect(facts.dkimAligned?.rawValue == word)
    }

    @Test("a message is judged again from the answers of its first day")
    func replay() async throws {
        let message = try Sample.signed(["From: a@example.com"])
        let first = try await Sample.judge(message, try Sample.zone())
        var headers = HeaderBlock()
        for field in message { headers.append(field) }
        let judge = MessageJudge(
            settings: AuthenticationSettings(),
            headers: HeaderSettings(authservID: Octets("mx.example.org")),
            engine: PolicyEngine(rules: RuleSet(), mode: .enforce),
            resolver: ReplayingResolver(first.lookups),
            timeout: .seconds(60)
        )
        let again = await judge.judge(
            Sample.envelope(),
            headers: headers,
            signatures: first.assessment.dkim,
            chain: nil,
            now: Sample.now
        )
        #expect(again.assessment.words == first.assessment.words)
        #expect(again.newFields == first.newFields)
        #expect(again.assessment.words == "pass pass pass pass pass pass")
    }

    @Test(
        "RFC 5322 § 4.5.8: a message reads the same with white space before its colons",
        arguments: [
            ["From: a@example.com"], ["From: ceo@bank.example", "Sender: a@example.com"],
            ["Resent-From: a@example.com", "From: ceo@bank.example"], ["From: a@example.com", "From: b@example.com"],
            ["Sender: a@example.com", "Sender: b@example.com", "From: a@example.com"],
        ]
    )
    func whiteSpace(_ fields: [String]) async throws {
        let message = try Sample.signed(fields.count > 1 ? ["From: a@example.com"] : fields).prefix(1) + fields
        let plain = try await Sample.judge(Array(message), try Sample.zone())
        let spaced = try await Sample.judge(
            message.map { $0.replacing(":", with: " \t:", maxReplacements: 1) },
            try Sample.zone()
        )
        #expect(spaced.assessment.words == plain.assessment.words)
        #expect(spaced.assessment.author == plain.assessment.author)
        #expect(spaced.assessment.purportedAddress == plain.assessment.purportedAddress)
        #expect(spaced.newFields == plain.newFields)
    }

    @Test("without a message the envelope alone is judged")
    func envelopeAlone() async throws {
        let judgement = try await Sample.judge(nil, try Sample.zone())
        #expect(judgement.assessment.words == "pass pass - - - pass")
        #expect(judgement.removedFields.isEmpty)
    }
}

/// The DNS does not answer for something: rules must be able to tell that from an answer.
@Suite("Facts without an answer")
struct UnansweredFactsTests {
    private func facts(
        _ lines: String...,
        without: [String] = [],
        fields: [String]? = nil
    ) async throws -> PolicyFacts {
        var zone = try Sample.zone(without: without)
        for line in lines { try zone.add(line) }
        let message = try fields ?? Sample.signed(["From: a@example.com"])
        return try await Sample.judge(message, zone).assessment.facts(Sample.envelope())
    }

    @Test("the name of a client, and the address of its name")
    func names() async throws {
        for (line, without) in [
            ("1.2.0.192.in-addr.arpa FAILURE", "1.2.0.192"), ("mail.example.com FAILURE", "mail.example.com A"),
        ] {
            let facts = try await facts(line, without: [without])
            #expect(facts.results.iprev == .temperror)
            #expect(facts.clientNames == [])
        }
    }

    @Test("the key of a signature beside one that passes")
    func keys() async throws {
        let broken = "DKIM-Signature: v=1; a=rsa-sha256; d=list.example; s=s; h=from; bh=AAAA; b=AAAA"
        let fields = [broken] + (try Sample.signed(["From: a@example.com"]))
        let facts = try await facts("s._domainkey.list.example FAILURE", fields: fields)
        #expect(facts.results.dkim == .pass)
        #expect(facts.dkimDomains?.map(\.description) == ["example.com"])
        #expect(facts.unansweredDKIMDomains.map(\.description) == ["list.example"])
    }

    @Test("the author's policy: whether a signature is aligned is not known, unless its domain is the author's own")
    func policy() async throws {
        let noRecord = try await facts(without: ["_dmarc"])
        #expect(noRecord.results.dmarc == ResultWord.none)
        #expect(noRecord.dkimAligned == .pass)
        let own = try await facts("_dmarc.example.com FAILURE", without: ["_dmarc"])
        #expect(own.results.dmarc == .temperror)
        #expect(own.dmarcPolicy == nil)
        #expect(own.dkimAligned == .pass)
        let below = try await facts(
            "_dmarc.www.example.com FAILURE",
            "_dmarc.example.com FAILURE",
            without: ["_dmarc"],
            fields: Sample.signed(["From: a@www.example.com"])
        )
        #expect(below.dkimAligned == .temperror)
        let elsewhere = try await facts(
            "_dmarc.example.net FAILURE",
            without: ["_dmarc"],
            fields: Sample.signed(["From: a@example.net"])
        )
        #expect(elsewhere.dkimAligned == ResultWord.none)
        let several = try await facts(
            without: ["_dmarc"],
            fields: Sample.signed(["From: a@example.com, b@example.org"])
        )
        #expect(several.dkimAligned == ResultWord.none)
        let plain = ["From: a@example.com"]
        let unsigned = try await facts("_dmarc.example.com FAILURE", without: ["_dmarc"], fields: plain)
        #expect(unsigned.dkimAligned == ResultWord.none)
    }
}
