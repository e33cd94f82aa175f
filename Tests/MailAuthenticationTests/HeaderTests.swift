import DKIM
import DNSLookup
import MailAuthentication
import MailSyntax
import Policy
import Testing

@Suite("Header fields that are deleted")
struct ForgedFieldTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let fields: [String]
        var removeForged = true
        var removeForeign = false
        var receivedSPF = false
        var junk = "X-Spam-Flag"
        /// `name#index`, from the top.
        let removed: [String]
    }

    static let cases: [Case] = [
        Case(
            testDescription: "RFC 8601 § 5: fields that carry our authserv-id",
            fields: [
                "Authentication-Results: other.example; spf=pass", "From: a@example.com",
                "Authentication-Results: mx.example.org; spf=pass",
                "Authentication-Results: mx.example.org; dkim=pass",
            ],
            removed: ["Authentication-Results#2", "Authentication-Results#3"]
        ),
        Case(
            testDescription: "in any case, folded, quoted, commented, versioned",
            fields: [
                "authentication-results: MX.Example.ORG; spf=pass",
                "AUTHENTICATION-RESULTS:\r\n\tmx.example.org;\r\n\tspf=pass",
                "Authentication-Results: \"mx.example.org\"; spf=pass",
                "Authentication-Results: (hello) mx.example.org (there); spf=pass",
                "Authentication-Results: mx.example.org 1; spf=pass",
                "Authentication-Results: mx.example.org; none",
            ],
            removed: [
                "authentication-results#1", "AUTHENTICATION-RESULTS#2", "Authentication-Results#3",
                "Authentication-Results#4", "Authentication-Results#5", "Authentication-Results#6",
            ]
        ),
        Case(
            testDescription: "unparsable, but beginning with our name",
            fields: ["Authentication-Results: mx.example.org spf=pass; ((("],
            removed: ["Authentication-Results#1"]
        ),
        Case(
            testDescription: "what only lenient readers take for our name",
            fields: [
                "Authentication-Results: \u{A0}mx.example.org; spf=pass",
                "Authentication-Results: =?utf-8?q?mx.example.org?=; spf=pass",
                "Authentication-Results: (a(b) mx.example.org; spf=pass",
                "Authentication-Results: mx.\r\n example.org; spf=pass",
                "Authentication-Results: other.example; dkim=pass header.d=mx.example.org",
                "Authentication-Results: <mx.example.org>; spf=pass",
            ],
            removed: [
                "Authentication-Results#1", "Authentication-Results#2", "Authentication-Results#3",
                "Authentication-Results#4", "Authentication-Results#6",
            ]
        ),
        Case(
            testDescription: "others' fields stay, near misses too",
            fields: [
                "Authentication-Results: mx.example.org.evil.example; spf=pass",
                "Authentication-Results: amx.example.org; spf=pass",
                "Authentication-Results: example.org; spf=pass",
                "ARC-Authentication-Results: i=1; mx.example.org; spf=pass",
            ],
            removed: []
        ),
        Case(
            testDescription: "X- fields from outside, each counted by its own name",
            fields: [
                "X-SID-Result: Pass", "x-sid-result: Pass", "X-SID-PRA: a@example.com", "X-DKIM-Result: Pass",
                "X-AUTH-Result: PASS", "X-SID-Result: Pass", "X-Spam-Flag: NO", "X-SID: Pass", "X-Spam-Status: No",
                "X-Received-Authentication-Results: mx.example.org; spf=pass", "X-Spam-Flags: NO",
            ],
            removed: [
                "X-SID-Result#1", "x-sid-result#2", "X-SID-PRA#1", "X-DKIM-Result#1", "X-AUTH-Result#1",
                "X-SID-Result#3", "X-Spam-Flag#1", "X-Received-Authentication-Results#1",
            ]
        ),
        Case(
            testDescription: "Received-SPF where this host writes it, and the field for junk by its name",
            fields: ["Received-SPF: pass", "Received: by x", "junk: no", "received-spf: fail", "X-Spam-Flag: NO"],
            receivedSPF: true,
            junk: "Junk",
            removed: ["Received-SPF#1", "junk#1", "received-spf#2"]
        ),
        Case(
            testDescription: "Received-SPF of others where this host writes none",
            fields: ["Received-SPF: pass"],
            removed: []
        ),
        Case(
            testDescription: "RFC 5322 § 4.5.8: white space before the colon is no part of the name",
            fields: [
                "Authentication-Results : other.example; spf=pass", "X-SID-Result\t : Pass",
                "Authentication-Results : mx.example.org; spf=pass", "Authentication-Results: mx.example.org; spf=pass",
            ],
            removed: ["X-SID-Result#1", "Authentication-Results#2", "Authentication-Results#3"]
        ),
        Case(
            testDescription: "our name alone between semicolons, and as a part of what others say",
            fields: [
                "Authentication-Results: i=1; mx.example.org; spf=pass",
                "Authentication-Results: other.example; dkim=pass header.d=mx.example.org",
            ],
            removed: ["Authentication-Results#1"]
        ),
        Case(
            testDescription: "remove_foreign: whoever wrote it",
            fields: ["Authentication-Results: other.example; spf=pass", "X-DKIM-Result: Pass"],
            removeForeign: true,
            removed: ["Authentication-Results#1", "X-DKIM-Result#1"]
        ),
        Case(
            testDescription: "remove_forged = false",
            fields: ["Authentication-Results: mx.example.org; spf=pass", "X-DKIM-Result: Pass"],
            removeForged: false,
            removed: []
        ),
    ]

    @Test("what passes for ours is found, with its 1-based place among its name", arguments: cases)
    func forged(_ example: Case) {
        var headers = HeaderBlock()
        for field in example.fields { headers.append(field) }
        var settings = HeaderSettings(authservID: Octets("mx.example.org"))
        settings.removeForged = example.removeForged
        settings.removeForeign = example.removeForeign
        settings.receivedSPF = example.receivedSPF
        settings.junk = NewField(name: example.junk, value: [])
        var forged = ForgedFields(settings)
        forged.add(headers)
        #expect(forged.deleted.map { "\($0.name.text)#\($0.index)" } == example.removed)
        // The same as they come in packets.
        var streamed = ForgedFields(settings)
        for field in headers {
            unsafe field.label.withUnsafeBytes { name in
                unsafe field.value.withUnsafeBytes { value in unsafe streamed.add(name: name, value: value) }
            }
        }
        #expect(streamed.deleted == forged.deleted)
    }

    @Test("no more are deleted than an MTA can take")
    func bounded() {
        var headers = HeaderBlock()
        for _ in 0..<3000 { headers.append("Authentication-Results: mx.example.org; none") }
        var forged = ForgedFields(HeaderSettings(authservID: Octets("mx.example.org")))
        forged.add(headers)
        #expect(forged.deleted.map(\.index) == Array(1...ForgedFields.maximumDeleted))
    }

    @Test("what takes long to read is forged unread, beyond what anybody needs; what is plain is read all the same")
    func careful() {
        var headers = HeaderBlock()
        for _ in 0..<200 { headers.append("Authentication-Results: mx.example.net (a); none") }
        for _ in 0..<200 {
            headers.append("Authentication-Results: mx.example.net;\r\n\tdkim=pass header.d=example.net")
        }
        var forged = ForgedFields(HeaderSettings(authservID: Octets("mx.example.org")))
        forged.add(headers)
        #expect(forged.deleted.map(\.index) == Array(129...200))
    }

    @Test("names with U-labels are turned into A-labels for so many fields of a message only")
    func conversions() {
        var headers = HeaderBlock()
        for _ in 0..<40 { headers.append("Authentication-Results: \u{FF4D}x.example.or; none") }
        headers.append("Authentication-Results: mx.example.net (a); none")
        var forged = ForgedFields(HeaderSettings(authservID: Octets("mx.example.org")))
        forged.add(headers)
        #expect(forged.deleted.map(\.index) == Array(33...40))
    }

    @Test(
        "a header that the filter would not judge is told as an obstacle",
        arguments: [(100, 10_000, nil), (101, 10_000, .tooManyForged), (1, 10, .tooLarge)]
            as [(Int, Int, HeaderObstacle?)]
    )
    func obstacles(_ forged: Int, _ maximumOctets: Int, _ expected: HeaderObstacle?) async throws {
        let judgement = try await Sample.judge(
            Array(repeating: "X-DKIM-Result: Pass", count: forged) + ["From: a@example.com"],
            try Sample.zone(),
            maximumHeaderOctets: maximumOctets
        )
        #expect(judgement.review?.obstacle == expected)
        let line = judgement.text(withTrace: false).split(separator: "\n").first { $0.hasPrefix("  obstacle ") }
        #expect(
            line.map { $0.hasPrefix("  obstacle   \(expected?.rawValue ?? ""): refused") } == expected.map { _ in true }
        )
    }

    @Test("what is deleted can be kept under a name that nobody trusts, on one line")
    func kept() async throws {
        let judgement = try await Sample.judge(
            [
                "Authentication-Results: mx.example.org;\r\n\tspf=pass smtp.mailfrom=x", "X-DKIM-Result: Pass",
                "From: a@example.com",
            ],
            try Sample.zone(),
            change: { $0.keepRemoved = true }
        )
        #expect(judgement.removedFields.count == 2)
        let kept = judgement.newFields.filter { $0.name.hasPrefix("X-Received-") }
        #expect(kept.map(\.name) == ["X-Received-Authentication-Results"])
        #expect(kept.first?.value[...].text == "mx.example.org; spf=pass smtp.mailfrom=x")
    }
}

@Suite("Header fields that are added")
struct NewFieldTests {
    /// The fields, with the beginning of each signature taken out.
    private func fields(
        _ message: [String],
        _ zone: DNSZone,
        envelope: Envelope = Sample.envelope(),
        checks: PerCheck<Bool> = PerCheck { _ in true },
        rules: String = "",
        change: (inout HeaderSettings) -> Void = { _ in }
    ) async throws -> [String] {
        let judgement = try await Sample.judge(
            message,
            zone,
            envelope: envelope,
            checks: checks,
            rules: rules,
            change: change
        )
        let signature = judgement.assessment.dkim?.first?.signatureOctets?.prefix(8).text ?? "?"
        return judgement.newFields.map { field in
            // A signature is quoted when it is no token.
            "\(field.name): \(field.value[...].text)".replacing("\"\(signature)\"", with: "B")
                .replacing(signature, with: "B")
        }
    }

    @Test("order, values and folds")
    func order() async throws {
        let message = try Sample.signed(["From: a@example.com"])
        let fields = try await fields(message, try Sample.zone()) {
            $0.authResult = true
            $0.receivedSPF = true
        }
        let results = [
            "Authentication-Results: mx.example.org;", "spf=pass smtp.mailfrom=a@example.com;",
            "sender-id=pass header.from=a@example.com;",
            "dkim=pass header.d=example.com header.i=@example.com header.s=s",
            "header.a=ed25519-sha256 header.b=B;", "dmarc=pass header.from=example.com policy.dmarc=reject;",
            "arc=none;",
            "iprev=pass policy.iprev=192.0.2.1",
        ]
        #expect(fields.first == results.joined(separator: "\n\t"))
        #expect(
            fields.map { String($0.prefix { $0 != ":" }) } == [
                "Authentication-Results", "Received-SPF", "X-SID-PRA", "X-SID-Result", "X-DKIM-Result",
                "X-AUTH-Result",
            ]
        )
        #expect(
            fields.suffix(4) == [
                "X-SID-PRA: a@example.com", "X-SID-Result: Pass", "X-DKIM-Result: Pass", "X-AUTH-Result: PASS",
            ]
        )
        // RFC 7208 § 9.1
        let received = fields.dropFirst().first ?? ""
        #expect(received.hasPrefix("Received-SPF: pass ("))
        for part in ["client-ip=192.0.2.1", "envelope-from=", "helo=mail.example.com", "identity=mailfrom"] {
            #expect(received.contains(part), "\(received)")
        }
        #expect(!fields.contains { $0.contains("\r") })
    }

    @Test("RFC 8601 § 2.7.2: the null sender shows HELO; junk is flagged; what is not checked is not said")
    func others() async throws {
        let null = try await fields(
            ["From: a@example.com"],
            try Sample.zone(),
            envelope: Sample.envelope(sender: ""),
            checks: [.spf, .dkim],
            rules: "[[rules]]\nname = \"j\"\nwhen = { dkim = \"none\" }\naction = \"junk\"\n"
        )
        #expect(
            null == [
                "Authentication-Results: mx.example.org;\n\tspf=pass smtp.helo=mail.example.com;\n\tdkim=none",
                "X-DKIM-Result: None", "X-Spam-Flag: YES",
            ]
        )
        let nothing = try await fields(["From: a@example.com"], try Sample.zone(), checks: [])
        #expect(nothing == ["Authentication-Results: mx.example.org; none"])
        let off = try await fields(["From: a@example.com"], try Sample.zone()) {
            $0.authenticationResults = false
            $0.senderID = false
            $0.dkim = false
        }
        #expect(off == [])
    }

    @Test(
        "the words of X-SID-Result and X-DKIM-Result",
        arguments: [
            ("v=spf1 ip4:192.0.2.1 -all", "Pass"), ("v=spf1 -all", "Fail"), ("v=spf1 ~all", "SoftFail"),
            ("v=spf1 ?all", "Neutral"), ("nothing", "None"), ("v=spf1 nonsense", "PermError"),
        ]
    )
    func words(_ record: String, _ word: String) async throws {
        let zone = try Sample.zone("example.com TXT \(record)", without: ["example.com TXT"])
        let fields = try await fields(["From: a@example.com"], zone)
        #expect(fields.contains("X-SID-Result: \(word)"), "\(fields)")
        #expect(fields.contains("X-DKIM-Result: None"))
    }

    @Test(
        "the words of X-DKIM-Result: an error is never a Fail",
        arguments: [
            ([], "None"), ([.pass], "Pass"), ([.fail, .pass], "Pass"), ([.fail], "Fail"), ([.temperror], "TempError"),
            ([.fail, .temperror], "TempError"), ([.permerror], "PermError"), ([.permerror, .fail], "Fail"),
            ([.neutral], "PermError"), ([.policy], "None"), ([.policy, .fail], "None"),
        ] as [([DKIMResult], String)]
    )
    func signatures(_ results: [DKIMResult], _ word: String) async throws {
        let assessment = try await Sample.assessment(signatures: results)
        let fields = assessment.fields(HeaderSettings(authservID: Octets("mx")), envelope: Sample.envelope())
        #expect(fields.first { $0.name == "X-DKIM-Result" }?.value[...].text == word)
    }

    @Test(
        "RFC 6376 § 3.6.1, t=y: keys in testing mode vouch as Pass(t) when no other does",
        arguments: [([true], "Pass(t)"), ([true, false], "Pass"), ([true, true], "Pass(t)")]
    )
    func testing(_ testing: [Bool], _ word: String) async throws {
        let record = try Sample.signingKey().recordText()
        let zone = try Sample.zone("s._domainkey.example.com TXT \(record); t=y", without: ["s._domainkey"])
        var assessment = try await Sample.judge(try Sample.signed(["From: a@example.com"]), zone).assessment
        let signature = try #require(assessment.dkim?.first)
        #expect(signature.testing)
        assessment.dkim = testing.map { isTesting in
            var copy = signature
            copy.testing = isTesting
            return copy
        }
        let fields = assessment.fields(HeaderSettings(authservID: Octets("mx")), envelope: Sample.envelope())
        #expect(fields.first { $0.name == "X-DKIM-Result" }?.value[...].text == word)
    }

    struct Internationalized: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var identity = "@b=C3=BCcher.example"
        var subject = "hello"
        var sender = "a@example.com"
        var helo = "mail.example.com"
        var recipient = "b@example.net"
        /// What our fields say, and what they do not.
        let said: [String]
        var unsaid: [String] = []
        var isASCII = true
    }

    static let letters: [Internationalized] = [
        Internationalized(
            testDescription: "a message in US-ASCII stays so: i= in quoted-printable gets A-labels",
            said: ["header.i=@xn--bcher-kva.example", "header.d=xn--bcher-kva.example"]
        ),
        Internationalized(
            testDescription: "a local part that has no form in US-ASCII is left out",
            identity: "j=C3=B6rg@b=C3=BCcher.example",
            said: ["header.d=xn--bcher-kva.example"],
            unsaid: ["header.i="]
        ),
        Internationalized(
            testDescription: "HELO makes no message internationalized",
            sender: "",
            helo: "bücher.example",
            said: ["smtp.helo=xn--bcher-kva.example", "helo=xn--bcher-kva.example;"]
        ),
        Internationalized(
            testDescription: "a message with UTF-8 in its header keeps U-labels",
            subject: "Grüße",
            said: ["header.i=@bücher.example", "smtp.mailfrom=a@example.com"],
            isASCII: false
        ),
        Internationalized(
            testDescription: "so does one from such an address",
            sender: "jörg@bücher.example",
            said: [
                "smtp.mailfrom=jörg@bücher.example", "envelope-from=\"jörg@bücher.example\"",
                "header.i=@bücher.example",
            ],
            isASCII: false
        ),
        Internationalized(
            testDescription: "and one to such an address",
            recipient: "jörg@example.net",
            said: ["header.i=@bücher.example"],
            isASCII: false
        ),
    ]

    @Test("RFC 6531 § 3.6: no field makes a message internationalized that is not", arguments: letters)
    func internationalized(_ example: Internationalized) async throws {
        var envelope = Sample.envelope(sender: example.sender)
        envelope.helo = Array(example.helo.utf8)
        envelope.recipients = [Array(example.recipient.utf8)]
        let signature =
            "DKIM-Signature: v=1; a=rsa-sha256; d=xn--bcher-kva.example; s=s; i=\(example.identity); h=from; bh=AAAA; b=AAAA"
        let message = [signature, "From: a@example.com", "Subject: \(example.subject)"]
        let text = try await fields(message, try Sample.zone(), envelope: envelope) {
            $0.receivedSPF = true
            $0.authResult = true
        }.joined(separator: "\n")
        for said in example.said { #expect(text.contains(said), "\(text)") }
        for unsaid in example.unsaid { #expect(!text.contains(unsaid), "\(text)") }
        #expect(text.utf8.isASCII == example.isASCII, "\(text)")
    }

    struct Author: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let fields: [String]
        var isSigned = false
        /// Records beside those of the sample, and beginnings of those that are not there.
        var records: [String] = []
        var without: [String] = []
        let word: String
    }

    static let authors: [Author] = [
        Author(testDescription: "DMARC passes", fields: ["From: a@example.com"], word: "PASS"),
        Author(
            testDescription: "DMARC fails, whatever another domain says",
            fields: ["From: a@bank.example", "Sender: a@example.com"],
            records: ["_dmarc.bank.example TXT v=DMARC1; p=none"],
            word: "FAIL"
        ),
        Author(
            testDescription: "without a policy: Sender ID of the author's own domain",
            fields: ["From: a@example.com"],
            without: ["_dmarc"],
            word: "PASS"
        ),
        Author(
            testDescription: "without a policy: a signature of the author's own domain",
            fields: ["From: a@example.com"],
            isSigned: true,
            records: ["example.com TXT v=spf1 -all"],
            without: ["_dmarc", "example.com TXT"],
            word: "PASS"
        ),
        Author(
            testDescription: "without a policy: the author's own domain disowns the client",
            fields: ["From: a@example.com"],
            records: ["example.com TXT v=spf1 -all"],
            without: ["_dmarc", "example.com TXT"],
            word: "FAIL"
        ),
        Author(
            testDescription: "without a policy: another domain that passes by Sender ID does not vouch for the author",
            fields: ["From: ceo@no-policy.example", "Sender: a@example.com"],
            word: "NONE"
        ),
        Author(
            testDescription: "without a policy: another domain that signs does not either",
            fields: ["From: ceo@no-policy.example"],
            isSigned: true,
            records: ["no-policy.example TXT nothing"],
            word: "NONE"
        ),
        Author(
            testDescription: "another domain's fail says nothing of the author",
            fields: ["From: ceo@no-policy.example", "Sender: a@example.com"],
            records: ["example.com TXT v=spf1 -all"],
            without: ["example.com TXT"],
            word: "NONE"
        ),
        Author(
            testDescription: "no single author: nobody can vouch",
            fields: ["From: a@example.com", "From: b@example.com", "Sender: a@example.com"],
            without: ["_dmarc"],
            word: "NONE"
        ),
        Author(
            testDescription: "the policy is not known, but the author's own domain vouches",
            fields: ["From: a@example.com"],
            isSigned: true,
            records: ["_dmarc.example.com FAILURE timeout"],
            without: ["_dmarc"],
            word: "PASS"
        ),
    ]

    @Test("X-AUTH-Result says what the author's domain says", arguments: authors)
    func authentication(_ example: Author) async throws {
        var zone = try Sample.zone(without: example.without)
        for record in example.records { try zone.add(record) }
        let message = example.isSigned ? try Sample.signed(example.fields) : example.fields
        let fields = try await fields(message, zone) { $0.authResult = true }
        #expect(fields.contains("X-AUTH-Result: \(example.word)"), "\(fields)")
    }

    @Test(
        "nothing that SMTP says can add a result or a line (RFC 8601 § 7.1)",
        arguments: ["a@example.com; dkim=pass", "a@example.com\r\nX-Bad: 1", "a b@example.com", "\"a;\"@example.com"]
    )
    func injection(_ sender: String) async throws {
        let fields = try await fields(
            ["From: a@example.com"],
            try Sample.zone(),
            envelope: Sample.envelope(sender: sender)
        )
        let results = fields.first ?? ""
        #expect(!results.contains("\nX-Bad"))
        #expect(!results.contains("\r"))
        // Outside of quotes there is one dkim result, ours.
        let unquoted = results.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset.isMultiple(of: 2) }.map(\.element).joined()
        #expect(!unquoted.contains("dkim=pass"), "\(results)")
    }
}
