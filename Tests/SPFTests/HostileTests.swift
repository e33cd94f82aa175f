import DNSLookup
import MailSyntax
import SPF
import TestSupport
import Testing

@Suite("Hostile zones")
struct HostileTests {
    /// A zone that means harm, what comes out, and how many questions are the most.
    struct Attack: Sendable, CustomTestStringConvertible {
        let name: String
        let result: SPFResult
        let queries: Int
        let zone: DNSZone
        var sender = "user@d.example"

        var testDescription: String { name }

        init(_ name: String, _ result: SPFResult, queries: Int, sender: String = "user@d.example", _ lines: [String])
            throws
        {
            self.name = name
            self.result = result
            self.queries = queries
            self.sender = sender
            var zone = DNSZone()
            for line in lines { try add(line, to: &zone) }
            self.zone = zone
        }
    }

    static func attacks() -> [Attack] {
        do {
            return try loops() + fanOuts() + sizes()
        } catch {
            Issue.record("a zone cannot be made: \(error)")
            return []
        }
    }

    static func loops() throws -> [Attack] {
        [
            // RFC 7208 § 4.6.4: only the limit ends them.
            try Attack("self-include", .permerror, queries: 11, ["d.example TXT v=spf1 include:d.example -all"]),
            try Attack("self-redirect", .permerror, queries: 11, ["d.example TXT v=spf1 redirect=d.example"]),
            try Attack(
                "include and redirect in turns",
                .permerror,
                queries: 11,
                ["d.example TXT v=spf1 include:e.example -all", "e.example TXT v=spf1 redirect=d.example"]
            ),
            try Attack(
                "includes that double",
                .permerror,
                queries: 12,
                ["d.example TXT v=spf1 include:d.example include:d.example"]
            ),
            try Attack("loop by macro", .permerror, queries: 11, ["d.example TXT v=spf1 include:%{d} -all"]),
            // RFC 1034 § 3.6.2: a CNAME loop is an error, so no answer (RFC 7208 §§ 4.4, 5).
            try Attack(
                "CNAME loop",
                .temperror,
                queries: 1,
                ["d.example CNAME e.example", "e.example CNAME d.example"]
            ),
            try Attack(
                "CNAME loop in a term",
                .temperror,
                queries: 2,
                ["d.example TXT v=spf1 a:e.example -all", "e.example CNAME f.example", "f.example CNAME e.example"]
            ),
            try Attack(
                "CNAME to oneself behind PTR",
                .fail,
                queries: 3,
                [
                    "d.example TXT v=spf1 ptr -all", "1.2.0.192.in-addr.arpa PTR x.d.example",
                    "x.d.example CNAME x.d.example",
                ]
            ),
        ]
    }

    static func fanOuts() throws -> [Attack] {
        let terms = (0..<10).map { "mx:m\($0).example" }.joined(separator: " ")
        let hosts = (0..<10).flatMap { domain in
            (0..<10).flatMap {
                ["m\(domain).example MX h\($0).m\(domain).example", "h\($0).m\(domain).example A 198.51.100.1"]
            }
        }
        let names = (0..<10_000).map { "1.2.0.192.in-addr.arpa PTR n\($0).d.example" }
        let exchanges = (0..<10_000).map { "d.example MX n\($0).d.example" }
        let addresses = (0..<10_000).map { "d.example A 198.51.\($0 / 250).\($0 % 250)" }
        return [
            try Attack("10 × 10 MX hosts", .fail, queries: 111, ["d.example TXT v=spf1 \(terms) -all"] + hosts),
            try Attack(
                "10 × 10 MX hosts and one term more",
                .permerror,
                queries: 111,
                ["d.example TXT v=spf1 \(terms) a -all"] + hosts
            ),
            // § 4.6.4: "all records other than the first 10 MUST be ignored".
            try Attack("10,000 PTR names", .fail, queries: 12, ["d.example TXT v=spf1 ptr -all"] + names),
            try Attack(
                "10,000 PTR names, ten times",
                .fail,
                queries: 111,
                ["d.example TXT v=spf1 ptr ptr ptr ptr ptr ptr ptr ptr ptr ptr -all"] + names
            ),
            try Attack(
                "10,000 PTR names by %{p}",
                .fail,
                queries: 13,
                ["d.example TXT v=spf1 exists:%{p}.%{p}.x -all"] + names
            ),
            try Attack("10,000 MX names", .permerror, queries: 2, ["d.example TXT v=spf1 mx -all"] + exchanges),
            // There is no limit for addresses of one name.
            try Attack("10,000 addresses", .fail, queries: 2, ["d.example TXT v=spf1 a -all"] + addresses),
        ]
    }

    static func sizes() throws -> [Attack] {
        let label63 = String(repeating: "x", count: 63)
        let label58 = String(repeating: "y", count: 58)
        let name253 = "\(label63).\(label63).\(label63).\(String(repeating: "y", count: 57)).abc"
        func record(_ term: String) -> String {
            "d.example TXT v=spf1 "
                + Array(repeating: term, count: 65_000 / (term.utf8.count + 1)).joined(separator: " ")
        }
        return [
            try Attack("64 KiB of addresses", .pass, queries: 1, [record("ip4:198.51.100.1") + " +all"]),
            try Attack("64 KiB of \"a\"", .permerror, queries: 12, [record("a"), "d.example A 198.51.100.1"]),
            try Attack(
                "64 KiB of macros",
                .neutral,
                queries: 2,
                ["d.example TXT v=spf1 a:" + String(repeating: "%{s}", count: 16_000)]
            ),
            try Attack(
                "64 KiB of empty macro parts",
                .neutral,
                queries: 2,
                ["d.example TXT v=spf1 a:" + String(repeating: "%{l1r=}", count: 9000)]
            ),
            try Attack(
                "64 KiB that is damaged at its end",
                .permerror,
                queries: 1,
                [record("ip4:198.51.100.1") + " moo"]
            ),
            try Attack(
                "64 KiB of text beside the record",
                .fail,
                queries: 1,
                ["d.example TXT v=spf1 -all", "d.example TXT " + String(repeating: "x", count: 65_000)]
            ),
            try Attack(
                "64 KiB of explanation",
                .fail,
                queries: 2,
                [
                    "d.example TXT v=spf1 -all exp=e.example",
                    "e.example TXT " + String(repeating: "%{s}", count: 16_000),
                ]
            ),
            try Attack(
                "a name of 253 octets",
                .pass,
                queries: 2,
                ["d.example TXT v=spf1 a:\(name253) -all", "\(name253) A 192.0.2.1"]
            ),
            // § 7.3: the first label goes.
            try Attack(
                "a name of 254 octets",
                .pass,
                queries: 2,
                [
                    "d.example TXT v=spf1 a:\(label63).\(label63).\(label63).\(label58).abc -all",
                    "\(label63).\(label63).\(label58).abc A 192.0.2.1",
                ]
            ),
            try Attack(
                "a label of 63 octets",
                .pass,
                queries: 2,
                ["d.example TXT v=spf1 a:\(label63).example -all", "\(label63).example A 192.0.2.1"]
            ),
            // § 4.8: no such name can exist, so nothing is asked.
            try Attack("a label of 64 octets", .fail, queries: 1, ["d.example TXT v=spf1 a:x\(label63).example -all"]),
            try Attack("a sender's label of 64 octets", .none, queries: 0, sender: "u@x\(label63).example", []),
        ]
    }

    @Test("a bounded number of questions, and the RFC's result", arguments: attacks())
    func holds(_ attack: Attack) async throws {
        for resolver in [attack.zone as any DNSResolving, Asked(attack.zone)] {
            let outcome = try await check(resolver, from: attack.sender)
            #expect(outcome.result == attack.result, "\(outcome.problem ?? "")")
            #expect(outcome.queries <= attack.queries)
            #expect((outcome.explanation ?? "").utf8.count <= 500)
            if let asked = resolver as? Asked<DNSZone> {
                #expect(asked.questions.count <= 160)
                #expect(Set(asked.questions).count == asked.questions.count)
            }
        }
    }

    @Test(
        "exists:%{l} with every awkward local-part",
        arguments: [
            "", ".", "..", "a..b", " ", "\"\"", "\"a b\"", "\"\\\"\"", "\"@\"", "%", "%{l}", "%%", "%{", "*", "\0",
            "\r\n", "\\", "\\000",
            "a/24", "a//64", "+all", "v=spf1", "-", "_", "xn--", "\u{FC}", "\u{1F4A9}", "\"\u{1}\u{7F}\"", "(comment)",
            "<x>", ":", "[::1]",
            "'; DROP", String(repeating: "a", count: 63), String(repeating: "a", count: 64),
            String(repeating: "a.", count: 127),
            String(repeating: "a", count: 100_000), String(repeating: ".", count: 1000),
            String(repeating: "\"", count: 999),
        ]
    )
    func localParts(_ local: String) async throws {
        let zone = Asked(
            try zone(
                "d.example TXT v=spf1 exists:%{l}.a.example exists:%{L}.b.example exists:%{l1r-+/=}.c.example -all exp=e.example",
                "e.example TXT %{l} %{S}"
            )
        )
        let outcome = try await check(zone, from: local + "@d.example")
        // At most three names are asked about and do not exist; then it is one void lookup too many.
        #expect(outcome.result == .fail || outcome.result == .permerror)
        #expect(zone.questions.count <= 5)
        #expect((outcome.explanation ?? "").utf8.allSatisfy { (0x20...0x7E).contains($0) })
        _ = outcome.trace.map(\.description)
    }
}
