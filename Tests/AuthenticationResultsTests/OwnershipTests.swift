import AuthenticationResults
import MailSyntax
import Testing

@Suite("Whose an Authentication-Results field claims to be")
struct OwnershipTests {
    @Test(
        "RFC 8601 § 5: fields that claim to be ours",
        arguments: [
            "mx.example.org; spf=pass", "MX.Example.ORG; spf=pass", " mx.example.org; none",
            "\r\n\tmx.example.org; none",
            "\"mx.example.org\"; spf=pass", "\"mx.ex\\ample.org\"; spf=pass", "(c) mx.example.org (d) 1; spf=pass",
            "((a)b(\\)c)) mx.example.org; spf=pass", "mx.example.org 1; spf=pass", "mx.example.org 2; what",
            "mx.example.org/1; spf=pass", "mx.example.org", "mx.example.org;", "mx.example.org (", "mx.example.org \"",
            "mx.example.org;;;", "mx.example.org\r\n (x)\r\n ; spf=pass", "(c)mx.example.org(d); spf=pass",
            "mx.example(c).org; spf=pass", "mx.example.org.; spf=pass", "mx.example.org, spf=pass",
            "mx.example.org=x", "mx.example.org:", "\u{0}mx.example.org;", "\"mx.example.org; spf=pass",
            "(mx.example.org; spf=pass", "mx.example.org\u{0};", "\"mx.example.org\" 1; spf=pass",
            "\"mx.\\example.org\"5; spf=pass", "mx.example.org\"x\"; spf=pass", "(c)\"mx.example.org\"5; none",
            "mx.exam\"ple.org\"; spf=pass",
            // The name alone between semicolons, but not first.
            "i=1; mx.example.org; spf=pass", "spf=pass; mx.example.org; dkim=pass", "a.test; mx.example.org",
            "a.test; MX.Example.ORG ; spf=pass", ";mx.example.org;", "a.test;\r\n\tmx.example.org;\r\n\tdkim=pass",
            "a.test; \"mx.example.org\" 1; spf=pass", "a.test; (c) mx.example.org (d) ; spf=pass",
            "a.test; mx.ex(c)ample.org; spf=pass", "a.test; (x; mx.example.org; spf=pass", "a.test;; mx.example.org.;",
            "a.test; x=\"; mx.example.org; spf=pass\"",
        ]
    )
    func ours(value: String) {
        #expect(AuthenticationResultsField.belongs(to: Octets("mx.example.org"), value: Octets(value)))
    }

    @Test(
        "RFC 8601 § 5: fields of others",
        arguments: [
            "", ";", "mx.example.net; spf=pass", "mx.example.org.evil.test; spf=pass", "xmx.example.org; spf=pass",
            "mx.example.org2; spf=pass", "mx.example.org-x; spf=pass", "mx.example.org_x; spf=pass",
            "x mx.example.org; spf=pass", "a.test; x=mx.example.org", "example.org; spf=pass", "mx example.org",
            "(mx.example.org) a.test; spf=pass", "mx.example.orgä; spf=pass",
            // The name as a part of what others say.
            "a.test; dkim=pass header.d=mx.example.org; spf=pass", "a.test; spf=pass smtp.helo=mx.example.org",
            "a.test; spf=pass (mx.example.org: says so); dkim=none", "a.test; spf=pass (a; mx.example.org; b)",
            "a.test; xmx.example.org; spf=pass", "a.test; mx.example.org.evil.test; spf=pass",
            "a.test; mx.example.org smtp.helo=x", "a.test; x=\"mx.example.org\"", "a.test; mx.example.net; spf=pass",
        ]
    )
    func foreign(value: String) {
        #expect(!AuthenticationResultsField.belongs(to: Octets("mx.example.org"), value: Octets(value)))
    }

    @Test("RFC 8601 § 5: A-labels and U-labels are compared")
    func internationalized() {
        let value = Octets("mx.EXÄMPLE.org; spf=pass")
        #expect(AuthenticationResultsField.belongs(to: Octets("mx.xn--exmple-cua.org"), value: value))
        #expect(
            AuthenticationResultsField.belongs(to: Octets("mx.exämple.org"), value: Octets("mx.xn--exmple-cua.org;"))
        )
        #expect(
            AuthenticationResultsField.belongs(to: Octets("mx.xn--exmple-cua.org"), value: Octets("1; mx.exämple.org;"))
        )
        #expect(!AuthenticationResultsField.belongs(to: Octets("mx.xn--exmple-cua.net"), value: value))
    }

    @Test("a service's name may hold anything a value can")
    func oddNames() {
        #expect(AuthenticationResultsField.belongs(to: Octets("a b/c"), value: Octets("\"a b/c\"; none")))
        #expect(!AuthenticationResultsField.belongs(to: Octets("a b/c"), value: Octets("\"a b/cd\"; none")))
    }

    /// White space outside US-ASCII, and characters that nobody sees.
    static let blanks: [String] = [
        "\u{85}", "\u{A0}", "\u{1680}", "\u{2000}", "\u{2001}", "\u{2002}", "\u{2003}", "\u{2004}", "\u{2005}",
        "\u{2006}",
        "\u{2007}", "\u{2008}", "\u{2009}", "\u{200A}", "\u{2028}", "\u{2029}", "\u{202F}", "\u{205F}", "\u{3000}",
        "\u{AD}", "\u{61C}", "\u{180E}", "\u{200B}", "\u{200E}", "\u{202E}", "\u{2060}", "\u{FE0F}", "\u{FEFF}",
        "\u{B}", "\u{1F}",
    ]

    @Test("RFC 8601 § 5: a blank of any script hides no name, wherever it stands", arguments: blanks)
    func blank(blank: String) {
        for value in [
            "\(blank)mx.example.org; spf=pass", "\(blank) mx.example.org; spf=pass", "mx.example.org\(blank); spf=pass",
            "mx.example.org\(blank)1; spf=pass", "i=1;\(blank)mx.example.org; spf=pass",
            "i=1; mx.example.org\(blank) ; spf=pass", "mx.exam\(blank)ple.org; spf=pass",
        ] {
            #expect(AuthenticationResultsField.belongs(to: Octets("mx.example.org"), value: Octets(value)), "\(value)")
        }
        for value in [
            "a.test; dkim=pass header.d=\(blank)mx.example.org; spf=pass", "\(blank)a.test; spf=pass",
            "a.test; spf=pass (\(blank); mx.example.org; ) smtp.helo=b", "amx.example.org\(blank); spf=pass",
        ] {
            #expect(!AuthenticationResultsField.belongs(to: Octets("mx.example.org"), value: Octets(value)), "\(value)")
        }
    }

    @Test("octets that are no UTF-8 hide no name", arguments: [0x85, 0xA0, 0xFF] as [UInt8])
    func stray(octet: UInt8) {
        let name = Array("mx.example.org; spf=pass".utf8)
        #expect(AuthenticationResultsField.belongs(to: Octets("mx.example.org"), value: ([octet] + name)[...]))
    }

    @Test(
        "RFC 2047 § 5: an encoded word in front is read as readers show it who decode every field",
        arguments: [
            "=?utf-8?q?mx.example.org?=; spf=pass", "=?utf-8?q?mx.example.org;_spf=3Dpass?=",
            "=?utf-8?b?bXguZXhhbXBsZS5vcmc7IHNwZj1wYXNz?=", "=?us-ascii?Q?mx=2Eexample=2Eorg?= ; spf=pass",
            "=?utf-8?q?mx.ex?=\r\n =?utf-8?q?ample.org?=; spf=pass", "a.test; =?utf-8?q?mx.example.org?=; spf=pass",
            "a.test =?utf-8?q?=3B_mx.example.org=3B?= spf=pass", "=?iso-8859-1?q?=A0mx.example.org?=; spf=pass",
            // Readers differ over it.
            "=?utf-7?q?mx.example.org?=; spf=pass", "=?utf-8?b?bXguZXhhbXBsZS5vcmc7==bXg?=; spf=pass",
        ]
    )
    func encoded(value: String) {
        #expect(AuthenticationResultsField.belongs(to: Octets("mx.example.org"), value: Octets(value)))
    }

    @Test(
        "RFC 8601 § 5: what some readers find, and others do not",
        arguments: [
            // Comments that end in two places.
            "(a(b) mx.example.org; spf=pass", "(a\\) mx.example.org; spf=pass", "((x) mx.example.org; spf=pass",
            "a.test; (a(b) mx.example.org; spf=pass", "\"(x) mx.example.org; spf=pass",
            // Folded, and blanks around dots (RFC 5322 § 4.4).
            "mx.\r\n example.org; spf=pass", "mx.exam\r\n\tple.org; spf=pass", "mx . example . org; spf=pass",
            "a.test; mx.\r\n example.org; spf=pass",
            // Not quite the name alone.
            "mx.example.org..; spf=pass", "<mx.example.org>; spf=pass", "'mx.example.org'; spf=pass",
            "`mx.example.org`; spf=pass", "[mx.example.org]; spf=pass", ", mx.example.org; spf=pass",
            "a.test; <mx.example.org>; spf=pass", "a.test; 'mx.example.org' ; spf=pass",
        ]
    )
    func doubtful(value: String) {
        #expect(AuthenticationResultsField.belongs(to: Octets("mx.example.org"), value: Octets(value)))
    }

    @Test(
        "fields of others with encoded words, U-labels and comments stay",
        arguments: [
            "a.test; spf=pass (=?utf-8?q?mx.example.org?=) smtp.helo=b", "=?utf-8?q?a.test?=; spf=pass",
            "a.test; dkim=pass (=?utf-8?b?bXguZXhhbXBsZS5vcmc=?=) header.d=mx.example.org",
            "a.test; dkim=pass header.d=mx.example.org header.b==?x", "a.test; x==?utf-8?q?mx.example.org?=",
            "a.test; spf=pass reason=\"ü; Gruß\" smtp.helo=mx.example.org", "mx.exämple.org; spf=pass",
            "a.test; spf=pass (a (b) mx.example.org) smtp.helo=b", "a.test; spf=pass (mx.\r\n example.org)",
            "<mx.example.net>; spf=pass", "mx.example\r\n .net; spf=pass", "mx.example.org.1; spf=pass",
        ]
    )
    func othersStay(value: String) {
        #expect(!AuthenticationResultsField.belongs(to: Octets("mx.example.org"), value: Octets(value)))
    }

    @Test("what is too short or has letters of its own is no U-label of ours, and is not turned into A-labels")
    func cheap() {
        var name = ServiceName(Octets("mx.example.org"))
        for segment in ["☃", "ü", "é.", "mx.exämple.net", "xü.example.org"] {
            let value = "\"\" (x) " + String(repeating: segment + ";", count: 5000) + "("
            let claimed1 = name.isClaimed(by: Octets(value))
            #expect(!claimed1, "\(segment)")
        }
        #expect(name.conversions == 0)
    }

    @Test(
        "no more names than anybody needs are turned into A-labels for a message; a field with one more counts as ours"
    )
    func bounded() {
        var name = ServiceName(Octets("mx.example.org"))
        // Fullwidth letters (UTS 46) of a shorter name.
        let other = Octets("ｍx.example.or; spf=pass")
        for _ in 0..<ServiceName.maximumConversions {
            let claimed2 = name.isClaimed(by: other)
            #expect(!claimed2)
        }
        let claimed3 = name.isClaimed(by: other)
        #expect(claimed3)
        let claimed4 = name.isClaimed(by: Octets("mx.example.net (a); spf=pass"))
        #expect(!claimed4)
        #expect(name.conversions == ServiceName.maximumConversions)
        var again = ServiceName(Octets("mx.xn--exmple-cua.org"))
        let claimed5 = again.isClaimed(
            by: Octets("\"\" (x) " + String(repeating: "mx.exämple.net;", count: 4000) + "(")
        )
        #expect(claimed5)
        #expect(again.conversions == ServiceName.maximumConversions)
        var fullwidth = ServiceName(Octets("mx.example.org"))
        let claimed6 = fullwidth.isClaimed(by: Octets("ｍｘ.example.org; spf=pass"))
        #expect(claimed6)
    }
}
