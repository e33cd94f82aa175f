import DNSLookup
import MailSyntax
import SPF
import Testing

@Suite("Identities")
struct IdentityTests {
    @Test(
        "MAIL FROM",
        arguments: [
            // RFC 7208 §§ 2.4 and 4.3
            ("a@d.example", "a", "d.example"), ("<a@d.example>", "a", "d.example"),
            ("", "postmaster", "helo.example"), ("<>", "postmaster", "helo.example"),
            ("@d.example", "postmaster", "d.example"), ("d.example", "postmaster", "d.example"),
            ("a@d.example.", "a", "d.example"), ("A@D.Example", "A", "d.example"),
            // RFC 5321 § 4.1.2: quoted local-parts
            ("\"a b\"@d.example", "a b", "d.example"), ("\"a@x.example\"@d.example", "a@x.example", "d.example"),
            ("\"a\\\"b\\\\c\"@d.example", "a\"b\\c", "d.example"), ("\"a\"@d.example", "a", "d.example"),
            ("\"\"@d.example", "postmaster", "d.example"), ("\"a@d.example", "\"a", "d.example"),
            ("\"a\\\"@d.example", "\"a\\\"", "d.example"), ("a@b@d.example", "a@b", "d.example"),
            ("Macro Error@d.example", "Macro Error", "d.example"),
            // RFC 5321 appendix C
            ("<@r.example,@s.example:a@d.example>", "a", "d.example"),
            // RFC 8616 § 4, RFC 6531
            ("j\u{F6}rg@b\u{FC}cher.example", "j\u{F6}rg", "xn--bcher-kva.example"),
            // § 4.3: malformed domains
            ("a@[192.0.2.1]", "a", nil), ("a@d..example", "a", nil), ("a@", "a", nil), ("a@d .example", "a", nil),
            ("a@d\0.example", "a", nil), ("a@\(String(repeating: "x", count: 64)).example", "a", nil),
        ] as [(String, String, String?)]
    )
    func mailFrom(_ sender: String, _ localPart: String, _ domain: String?) {
        let identity = SPFIdentity(mailFrom: Octets(sender), helo: Octets("helo.example"))
        #expect(identity.localPart.text == localPart)
        #expect(identity.domain?.description == domain)
    }

    @Test("what is too long is not looked at")
    func long() {
        let identity = SPFIdentity(mailFrom: Octets(String(repeating: "a.", count: 50_000) + "@d.example"), helo: [])
        #expect(identity.localPart.count <= 998)
        let domain = String(repeating: "a.", count: 50_000) + "example"
        #expect(SPFIdentity(helo: Octets(domain)).domain == nil)
    }

    @Test(
        "RFC 7208 § 4.3: these HELO names give none",
        arguments: [
            "", "localhost", "[192.0.2.1]", "a..b", "a b.example", "\u{1}.example", ".", "..", "a.example'",
            "a.example\u{A0}", "-.example",
        ]
    )
    func helo(_ name: String) async throws {
        let zone = try zone("example TXT v=spf1 +all")
        let client = try #require(IPAddress("192.0.2.1"))
        let outcome = await zone.outcome(of: SPFInquiry(helo: Octets(name), client: client, now: 0))
        #expect(outcome.result == .none)
        #expect(outcome.scope == .helo)
        #expect(outcome.mechanism == nil)
    }

    @Test(
        "RFC 5321 § 2.3.5: what no host is called gives none, as RFC 7208 § 4.3 has it for malformed names",
        arguments: [
            ("a@b.example", "pass"), ("a@b_c.example", "pass"), ("a@b.example'", "none"), ("a@b+c.example", "none"),
            ("a@b.example\u{A0}", "none"), ("a@b.example\u{3000}", "none"), ("a@b\u{200B}.example", "pass"),
        ]
    )
    func hosts(_ sender: String, _ result: String) async throws {
        let zone = try zone("*.example TXT v=spf1 +all", "*.example' TXT v=spf1 +all")
        let client = try #require(IPAddress("192.0.2.1"))
        let inquiry = SPFInquiry(mailFrom: Octets(sender), helo: [], client: client, now: 0)
        let outcome = await zone.outcome(of: inquiry)
        #expect(outcome.result.rawValue == result)
    }

    @Test("RFC 7208 § 2.4: the null reverse-path is the HELO identity's postmaster, checked as MAIL FROM")
    func null() async throws {
        let zone = try zone(
            "helo.example TXT v=spf1 exists:%{l}.%{o}.l.example -all",
            "postmaster.helo.example.l.example A 127.0.0.2"
        )
        let outcome = try await check(zone, from: "<>")
        #expect(outcome.result == .pass)
        #expect(outcome.scope == .mfrom)
        #expect(outcome.domain == "helo.example")
    }

    @Test("RFC 8616 § 4: terms that show a local-part outside US-ASCII do not match")
    func international() async throws {
        let zone = try zone(
            "d.example TXT v=spf1 exists:%{l}.x.example exists:%{S} include:%{l}.gone.example exists:%{d}.yes.example -all",
            "d.example.yes.example A 127.0.0.2"
        )
        let outcome = try await check(zone, from: "j\u{F6}rg@d.example")
        #expect(outcome.result == .pass)
        #expect(outcome.mechanism == "exists:%{d}.yes.example")
        #expect(outcome.voidLookups == 0)
    }
}
