import DKIM
import DMARC
import DNSLookup
import MailAuthentication
import MailCrypto
import MailSyntax
import SPF
import Testing

/// What other programs of this kind got wrong, each by the name under which it was published.
@Suite("Defects of others")
struct DefectTests {
    struct Defect: Sendable, CustomTestStringConvertible {
        let name: String
        /// What was wrong there.
        let story: String
        /// What is right here.
        let check: @Sendable () async throws -> Void

        var testDescription: String { "\(name): \(story)" }

        init(_ name: String, _ story: String, _ check: @escaping @Sendable () async throws -> Void) {
            self.name = name
            self.story = story
            self.check = check
        }
    }

    @Test("do not happen here", arguments: authors + parsers + messages)
    func isAbsent(_ defect: Defect) async throws {
        try await defect.check()
    }

    static func judge(
        _ fields: [String],
        _ zone: DNSZone? = nil,
        sender: String = "a@example.com",
        helo: String = "mail.example.com"
    ) async throws -> Judgement {
        var envelope = Sample.envelope(sender: sender)
        envelope.helo = Array(helo.utf8)
        return try await Sample.judge(fields, zone ?? Sample.zone(), envelope: envelope)
    }

    static func results(_ judgement: Judgement) -> String {
        judgement.newFields.filter { $0.name == "Authentication-Results" }.map { $0.value[...].text }.joined()
    }
}

// MARK: Who the author is

extension DefectTests {
    static let authors: [Defect] = [
        Defect("CVE-2019-16378", "OpenDMARC judged one of several authors, and another was shown") {
            for author in ["From: a@example.com, b@bank.test", "From: b@bank.test, a@example.com"] {
                let judgement = try await judge(try Sample.signed([author.replacing(", b@bank.test", with: "")]))
                #expect(judgement.assessment.dmarc?.result == .pass || author.hasPrefix("From: b"))
                #expect(try await judge([author]).assessment.dmarc?.result != .pass)
            }
            for fields in [
                ["From: a@example.com", "From: b@bank.test"], ["From: b@bank.test", "From: a@example.com"],
            ] {
                #expect(try await judge(fields).assessment.dmarc?.result != .pass)
            }
        },
        Defect("CVE-2019-20790", "OpenDMARC took a pass of HELO for one of MAIL FROM") {
            let zone = try Sample.zone("attack.test TXT v=spf1 ?all")
            let judgement = try await judge(["From: a@example.com"], zone, sender: "x@attack.test")
            #expect(judgement.assessment.helo?.result == .pass)
            #expect(judgement.assessment.dmarc?.result == .fail)
        },
        Defect("CVE-2020-12272", "OpenDMARC put d= with a comment in it into its results") {
            let zone = try Sample.zone("s._domainkey.example.com.attack.test TXT \(Sample.signingKey().recordText())")
            for domain in ["example.com(.attack.test", "example.com'.attack.test", "example.com\".attack.test"] {
                let fields = try Sample.signed(["From: a@example.com"])
                let forged = [fields[0].replacing("d=example.com", with: "d=" + domain)] + fields.dropFirst()
                let judgement = try await judge(forged, zone, sender: "x@attack.test")
                #expect(judgement.assessment.dkim?.map(\.result) == [.neutral])
                #expect(judgement.assessment.dmarc?.result == .fail)
                #expect(!results(judgement).contains("header.d=example.com"))
            }
        },
        Defect("CVE-2021-34555", "OpenDMARC crashed on several authors without a domain") {
            for value in [
                "a, b", "a@, b@", "<>, <>", ",", "a:;, b:;", "@, a@example.com", "", "\"", "(", "a@example.com,",
            ] {
                _ = try await judge(["From: \(value)"])
                _ = try await judge(["From: \(value)", "From: \(value)"])
            }
            #expect(try await judge(["From: a@, b@"]).assessment.dmarc?.result == .permerror)
        },
        Defect("maddy 0.9.7", "DMARC was not applied to an author's domain in capitals, or to no author at all") {
            #expect(try await judge(["From: a@EXAMPLE.Com"], sender: "x@attack.test").assessment.dmarc?.result == .fail)
            let nobody = try await judge(["Subject: none"]).assessment.dmarc?.result
            #expect(nobody == .permerror)
        },
        Defect("CVE-2024-7208, mox 0.0.16", "a tenant's mail was signed for the domain of another") {
            let table = DKIMSigningTable([
                DKIMSigningTable.Entry(
                    domain: try DomainName("example.com"),
                    logins: [Octets("owner")],
                    keys: [try Sample.signingKey()]
                )
            ])
            guard case .foreignLogin = table.decision(author: try DomainName("example.com"), login: Octets("tenant"))
            else { throw Unexpected() }
            guard case .sign = table.decision(author: try DomainName("example.com"), login: Octets("owner")) else {
                throw Unexpected()
            }
            // mox looked at the first From, and signed for the last.
            var headers = HeaderBlock()
            for field in ["From: a@example.com", "From: b@bank.test"] { headers.append(field) }
            var signer = DKIMMessageSigner(keys: [try Sample.signingKey()], now: Sample.now)
            signer.endOfHeaders(headers)
            #expect(throws: DKIMSigningError.self) { try signer.finish() }
        },
        Defect("mox pull request 459", "a second From field stood beside the signed one, and DMARC passed") {
            let fields = try Sample.signed(["From: a@example.com"])
            #expect(try await judge(fields).assessment.dmarc?.result == .pass)
            for forged in [[fields[0], "From: b@bank.test"] + fields.dropFirst(), fields + ["From: b@bank.test"]] {
                let assessment = try await judge(forged).assessment
                #expect(assessment.dmarc?.result != .pass && assessment.author?.reading == .unreadable)
            }
        },
        Defect("CVE-2024-7209", "a host's SPF vouched for all domains that it serves") {
            let zone = try Sample.zone("tenant.test TXT v=spf1 ip4:192.0.2.1 -all")
            let judgement = try await judge(["From: a@example.com"], zone, sender: "x@tenant.test")
            #expect(judgement.assessment.spf?.result == .pass)
            #expect(judgement.assessment.dmarc?.result == .fail)
        },
    ]

    struct Unexpected: Error {}
}

// MARK: What records and tags are read as

extension DefectTests {
    /// SPF of a domain with this record.
    static func spf(_ record: String, _ more: String = "more.test TXT none", sender: String = "a@d.test") async throws
        -> String
    {
        let zone = try Sample.zone("d.test TXT \(record)", more)
        return try await judge(["From: a@d.test"], zone, sender: sender).assessment.spf?.result.rawValue ?? "nothing"
    }

    static let parsers: [Defect] = [
        Defect("CVE-2021-20314", "libspf2 wrote macros of an explanation beyond its buffer") {
            let text = String(repeating: "%{S}%{L}%{D}%{H}", count: 2000)
            let zone = try Sample.zone("d.test TXT v=spf1 -all exp=why.test", "why.test TXT \(text)")
            let sender = String(repeating: "a", count: 60) + "@d.test"
            let outcome = try await judge(["From: a@d.test"], zone, sender: sender).assessment.spf
            #expect(outcome?.result == .fail)
            #expect(outcome?.explanation?.utf8.count ?? 0 <= 500)
        },
        Defect("CVE-2021-33912", "libspf2 escaped octets above 127 as eight characters where it had room for three") {
            let zone = try Sample.zone("d.test TXT v=spf1 -all exp=why.test", "why.test TXT %{H}")
            let helo = "\u{FC}\u{FF}.test"
            let outcome = try await judge(["From: a@d.test"], zone, sender: "a@d.test", helo: helo).assessment.spf
            #expect(outcome?.explanation == "%C3%BC%C3%BF.test")
        },
        Defect("CVE-2021-33913", "libspf2 measured a domain wrongly where a macro keeps some of its labels") {
            let macro = "%{l99r.-+,/_=}%{d9r}%{s1r}%{l1r}%{d99}"
            for local in ["a.b-c+d,e/f_g=h", "....", "-+-+-+", String(repeating: "a.", count: 31), "\"\""] {
                let result = try await spf("v=spf1 exists:\(macro).more.test ?all", sender: local + "@d.test")
                #expect(result == "neutral")
            }
        },
        Defect("CVE-2023-42118", "libspf2, in Exim, computed a length below zero for a macro that is cut off") {
            for macro in ["%{", "%{l", "%{l1", "%{lr", "%{l-", "%", "%{}", "%{x}", "%{l0}", "%{lrr}", "%{l1r", "%{l--"]
            {
                let result = try await spf("v=spf1 exists:\(macro) -all")
                #expect(result == "permerror")
            }
        },
        Defect("CVE-2024-25768", "OpenDMARC used a null pointer while it read a policy") {
            for record in [
                "v=DMARC1", "v=DMARC1;", "v=DMARC1; p", "v=DMARC1; =", "v=DMARC1; p=", "v=DMARC1;;;", "v=", "",
            ] {
                let zone = try Sample.zone("_dmarc.d.test TXT \(record.isEmpty ? "\u{20}" : record)")
                #expect(try await judge(["From: a@d.test"], zone).assessment.dmarc?.result != .pass)
            }
        },
        Defect("CVE-2012-5671", "Exim copied a key record of any length into a buffer of one") {
            for length in [255, 256, 4000, 65_000] {
                let text = "v=DKIM1; k=ed25519; p=" + String(repeating: "A", count: length)
                let zone = try Sample.zone("s._domainkey.example.com TXT \(text)", without: ["s._domainkey"])
                let judgement = try await judge(try Sample.signed(["From: a@example.com"]), zone)
                #expect(judgement.assessment.dkim?.map(\.result) == [.permerror])
            }
        },
        Defect("mailauth 4.8.3", "a tag named __proto__ changed what all objects have") {
            let fields = try Sample.signed(["From: a@example.com"])
            let forged = [fields[0].replacing("v=1;", with: "v=1; __proto__=x;")] + fields.dropFirst()
            #expect(try await judge(forged).assessment.dkim?.map(\.problem) == ["signature is not a tag-list"])
            let named = [fields[0].replacing("v=1;", with: "v=1; constructor=x;")] + fields.dropFirst()
            #expect(try await judge(named).assessment.dkim?.map(\.problem) == ["header hash differs"])
        },
        Defect("mailauth 5.0.3", "a CR alone was a line end, and more than blanks and tabs was white space") {
            // RFC 6376 § 2.8: white space is SP and HTAB; § 3.4: a line ends in CRLF.
            for (name, value) in [("Subject", "a\u{B}b"), ("Subject", "a\u{C}b"), ("Subject", "a\u{A0}b")] {
                let fields = try Sample.signed(["From: a@example.com", "\(name): \(value)"])
                #expect(try await judge(fields).assessment.dkim?.map(\.result) == [.pass])
                let changed = fields.dropLast() + ["\(name): a b"]
                #expect(try await judge(Array(changed)).assessment.dkim?.map(\.result) == [.fail])
            }
            #expect(Self.hash("a\rb\r\n") != Self.hash("a\r\nb\r\n"))
            #expect(Self.hash("a\rb\r\n") == Self.hash("a\rb"))
        },
    ]

    /// The hash of a body in its simple form.
    static func hash(_ body: String) -> [UInt8] {
        var canonicalizer = BodyCanonicalizer(.simple)
        let hasher = SHA256Hasher()
        unsafe Array(body.utf8).withUnsafeBytes {
            unsafe canonicalizer.update($0) { unsafe hasher.update($0) }
        }
        unsafe canonicalizer.finish { unsafe hasher.update($0) }
        return hasher.finish()
    }
}

// MARK: What becomes of a message

extension DefectTests {
    static let messages: [Defect] = [
        Defect("CVE-2022-48521", "OpenDKIM deleted the wrong one of several forged Authentication-Results") {
            let forged = "Authentication-Results: mx.example.org; dkim=pass header.d=bank.test"
            let other = "Authentication-Results: mx.example.net; dkim=pass header.d=bank.test"
            let judgement = try await judge([forged, other, forged, "From: a@example.com", other, forged])
            #expect(judgement.removedFields.map(\.index) == [1, 3, 5])
        },
        Defect("PhoenixDKIM 3.0.0-beta11", "a dot behind our name in Authentication-Results saved the field") {
            for name in [
                "mx.example.org.", "MX.EXAMPLE.ORG", "\"mx.example.org\"", "mx.example.org (a)", "(b) mx.example.org",
            ] {
                let judgement = try await judge(["Authentication-Results: \(name); dkim=pass", "From: a@example.com"])
                #expect(judgement.removedFields.count == 1, "\(name)")
            }
        },
        Defect(
            "CVE-2023-51764, -51765, -51766",
            "servers took an LF alone for a line end, and mail in mail for another"
        ) {
            // What an MTA hands over as the body of one message is the body of one message.
            let smuggled =
                "\n.\r\nMAIL FROM:<admin@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\nFrom: admin@example.com\r\n"
            let fields = try Sample.signed(["From: a@example.com"])
            let message = fields.joined(separator: "\r\n") + "\r\n\r\n" + Sample.body + smuggled
            let stored = StoredMessage(Octets(message))
            #expect(AuthorIdentity(of: stored.headers).domains == [try DomainName("example.com")])
            let transaction = MailTransaction(
                client: MailClient(
                    address: Sample.client,
                    settings: AuthenticationSettings(),
                    resolver: try Sample.zone()
                ),
                sender: Array("a@example.com".utf8),
                resolver: try Sample.zone(),
                now: Sample.now
            )
            for field in fields { transaction.header(field) }
            transaction.endOfHeaders()
            unsafe Array((Sample.body + smuggled).utf8).withUnsafeBytes { unsafe transaction.body($0) }
            transaction.endOfBody()
            #expect(transaction.assessment?.dkim?.map(\.result) == [.fail])
        },
        Defect("e = 1", "a key with an exponent of one verifies whatever is padded right") {
            let modulus: [UInt8] = [0x00] + [UInt8](repeating: 0xC5, count: 128)
            let numbers = [0x02, 0x81, UInt8(modulus.count)] + modulus + [0x02, 0x01, 0x01]
            let key = Base64.encode([0x30, 0x81, UInt8(numbers.count)] + numbers)[...].text
            let zone = try Sample.zone("s._domainkey.example.com TXT k=rsa; p=\(key)", without: ["s._domainkey"])
            let fields = try Sample.signed(["From: a@example.com"])
            let forged = [fields[0].replacing("ed25519-sha256", with: "rsa-sha256")] + fields.dropFirst()
            #expect(try await judge(forged, zone).assessment.dkim?.map(\.result) == [.permerror])
        },
    ]
}
