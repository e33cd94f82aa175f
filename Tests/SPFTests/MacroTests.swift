import DNSLookup
import MailSyntax
import SPF
import TestSupport
import Testing

@Suite("Macros")
struct MacroTests {
    /// The name that `exists:` with this domain-spec asks for.
    private func name(
        _ spec: String,
        from sender: String = "strong-bad@email.example.com",
        client: String = "192.0.2.3",
        helo: String = "mx.example.org"
    ) async throws -> String? {
        let zone = Asked(
            try zone(
                "email.example.com TXT v=spf1 exists:\(spec) -all",
                "3.2.0.192.in-addr.arpa PTR mx.example.org",
                "mx.example.org A 192.0.2.3"
            )
        )
        _ = try await check(zone, from: sender, helo: helo, client: client)
        return zone.questions.last { $0.type == .a }?.name.description
    }

    @Test(
        "RFC 7208 § 7.4: the examples",
        arguments: [
            ("%{s}", "strong-bad@email.example.com"), ("%{o}", "email.example.com"), ("%{d}", "email.example.com"),
            ("%{d4}", "email.example.com"), ("%{d3}", "email.example.com"), ("%{d2}", "example.com"), ("%{d1}", "com"),
            ("%{dr}", "com.example.email"), ("%{d2r}", "example.email"), ("%{l}", "strong-bad"),
            ("%{l-}", "strong.bad"),
            ("%{lr}", "strong-bad"), ("%{lr-}", "bad.strong"), ("%{l1r-}", "strong"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
            ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
            ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
            ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
            ("%{h}", "mx.example.org"), ("%{p}.x.example", "mx.example.org.x.example"),
            ("%{p2}.x.example", "example.org.x.example"),
        ]
    )
    func examples(_ spec: String, _ expected: String) async throws {
        #expect(try await name(spec) == expected)
    }

    @Test("RFC 7208 § 7.4: IPv6")
    func version6() async throws {
        let found = try await name("%{ir}.%{v}._spf.%{d2}", client: "2001:db8::cb01")
        #expect(found == "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com")
    }

    @Test(
        "RFC 7208 § 7.3: transformers, delimiters and escapes",
        arguments: [
            ("a-b+c,d/e_f=g.h", "%{l-+,/_=.}", "a.b.c.d.e.f.g.h"), ("a-b+c", "%{l2-+}", "b.c"),
            ("a-b+c", "%{L}", "a-b%2bc"),
            ("a-b-c", "%{l128r-}", "c.b.a"), ("a-b-c", "%{l99999999999999999999-}", "a.b.c"), ("a~b", "%{L}", "a~b"),
            ("a b", "%{L}", "a%20b"), ("a\"b", "%{L}", "a%22b"), ("a", "%{l}%%%_%-", "a%\\032%20"),
            ("a", "%{lR}.x", "a.x"),
        ]
    )
    func transforms(_ local: String, _ spec: String, _ expected: String) async throws {
        #expect(try await name(spec, from: "\(local)@email.example.com") == expected)
    }

    @Test("RFC 7208 § 7.3: a long name loses labels on its left")
    func long() async throws {
        let label = String(repeating: "x", count: 60)
        let four = Array(repeating: label, count: 4).joined(separator: ".")
        // 4 × 61 + 9 = 253 octets fit; one more does not.
        #expect(try await name("\(four).12345.abc")?.utf8.count == 253)
        #expect(try await name("\(four).123456.abc")?.utf8.count == 193)
        #expect(try await name("%{l}.\(four).1234567.abc")?.utf8.count == 194)
        #expect(try await name("%{h}.x", helo: String(repeating: "y.", count: 400) + "z")?.utf8.count == 253)
    }

    @Test(
        "RFC 7208 § 4.8: names that cannot be asked about match nothing, and are no void lookups",
        arguments: [
            ("x..y", "%{l}.e"), (".x", "%{l}.e"), (String(repeating: "x", count: 64), "%{l}.e"), ("x.", "%{l}.e"),
        ]
    )
    func malformed(_ local: String, _ spec: String) async throws {
        let zone = try zone("email.example.com TXT v=spf1 exists:\(spec) a:\(spec) mx:\(spec) ptr:\(spec) -all")
        let outcome = try await check(zone, from: "\(local)@email.example.com")
        #expect(outcome.result == .fail)
        #expect(outcome.voidLookups == 0)
        #expect(outcome.lookups == 4)
    }

    @Test(
        "RFC 7208 § 6.2: explanations",
        arguments: [
            ("%{i} %{c} %{v} %{h} %{r} %{t}", "192.0.2.1 192.0.2.1 in-addr helo.example rx.example 1234567890"),
            ("%{s} %{l} %{o} %{d} %{p}", "user@d.example user d.example d.example unknown"),
            ("100%% see%-http://x/?%{S}%_.", "100% see%20http://x/?user%40d.example ."),
            ("two  spaces ", "two  spaces "),
            ("bad %{z}", nil), ("bad %", nil), ("bad \u{7}bell", nil), ("b\u{F6}se", nil), ("", nil),
            ("tab\there", nil),
        ] as [(String, String?)]
    )
    func explanations(_ text: String, _ expected: String?) async throws {
        let zone = try zone("d.example TXT v=spf1 -all exp=why.%{d}", "why.d.example TXT \(text)")
        var options = SPFOptions()
        options.receiver = Octets("rx.example")
        let outcome = try await check(zone, now: 1_234_567_890, options: options)
        #expect(outcome.result == .fail)
        #expect(outcome.explanation == expected)
        // RFC 7208 § 4.6.4: what an explanation looks up is not counted.
        #expect(outcome.lookups == 0 && outcome.voidLookups == 0)
    }

    @Test("an explanation is printable and bounded, whatever the sender put in")
    func bounded() async throws {
        let zone = try zone("d.example TXT v=spf1 -all exp=why.example", "why.example TXT %{l}%{l}%{l} %{h}")
        let sender = "\"\r\n550 ok\u{1B}[2J" + String(repeating: "x", count: 300) + "\"@d.example"
        let text = try #require(try await check(zone, from: sender).explanation)
        #expect(text.utf8.count == 500)
        #expect(text.utf8.allSatisfy { (0x20...0x7E).contains($0) })
        #expect(text.hasPrefix("??550 ok?[2J"))
    }

    @Test("RFC 7208 § 7.3: %{p} prefers the domain, then one below it, then any validated name")
    func validatedName() async throws {
        var names = ["1.2.0.192.in-addr.arpa PTR forged.example"]
        func text(_ adding: String...) async throws -> String? {
            for name in adding { names += ["1.2.0.192.in-addr.arpa PTR \(name)", "\(name) A 192.0.2.1"] }
            let lines = names + ["d.example TXT v=spf1 -all exp=why.example", "why.example TXT %{p}"]
            var all = DNSZone()
            for line in lines { try add(line, to: &all) }
            return try await check(all).explanation
        }
        #expect(try await text() == "unknown")
        #expect(try await text("other.example") == "other.example")
        #expect(try await text("host.d.example") == "host.d.example")
        #expect(try await text("d.example") == "d.example")
    }
}
