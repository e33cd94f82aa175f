import MailSyntax
import SPF
import Testing

@Suite("Received-SPF")
struct ReceivedSPFTests {
    private func field(
        _ record: String,
        from sender: String,
        helo: String,
        client: String = "192.0.2.1",
        isInternationalized: Bool = false
    ) async throws -> String {
        let zone = try zone("d.example TXT \(record)")
        let outcome = try await check(zone, from: sender, helo: helo, client: client)
        let body = ReceivedSPF.fieldBody(
            for: outcome,
            receiver: Octets("mx.example.org"),
            clientAddress: try #require(IPAddress(client)),
            envelopeFrom: Octets(sender),
            helo: Octets(helo),
            isInternationalized: isInternationalized
        )
        return String(decoding: body, as: UTF8.self)
    }

    @Test("RFC 7208 § 9.1: the pairs")
    func pairs() async throws {
        let body = try await field("v=spf1 ip4:192.0.2.0/24 -all", from: "a@d.example", helo: "h.example")
        let expected = """
            pass (d.example permits 192.0.2.1)
            \treceiver=mx.example.org;
            \tclient-ip=192.0.2.1;
            \tenvelope-from="a@d.example";
            \thelo=h.example;
            \tidentity=mailfrom;
            \tmechanism="ip4:192.0.2.0/24"
            """
        #expect(body == expected)
    }

    @Test("a problem is named, a default is a mechanism, and IPv6 is quoted")
    func others() async throws {
        let error = try await field("v=spf1 moo", from: "a@d.example", helo: "h.example")
        #expect(error.contains("problem=\"unknown mechanism in the record at d.example: moo\""))
        let neutral = try await field("v=spf1", from: "a@d.example", helo: "h.example", client: "2001:db8::1")
        #expect(neutral.contains("mechanism=default"))
        #expect(neutral.contains("client-ip=\"2001:db8::1\""))
        let mapped = try await field("v=spf1", from: "a@d.example", helo: "h.example", client: "::ffff:192.0.2.1")
        #expect(mapped.contains("client-ip=192.0.2.1;"))
    }

    @Test(
        "an address or a name is never a changed one: as it is, with A-labels, or not there",
        arguments: [
            ("jörg@bücher.example", "bücher.example", true, "\"jörg@bücher.example\"", "bücher.example"),
            ("jörg@bücher.example", "bücher.example", false, nil, "xn--bcher-kva.example"),
            ("a@bücher.example", "h.example", false, "\"a@xn--bcher-kva.example\"", "h.example"),
            ("a@d.example", "h\u{7}.example", true, "\"a@d.example\"", nil),
            ("a\u{202E}@d.example", "h é.example", true, nil, "\"h é.example\""),
            ("a@d.example", "h é.example", false, "\"a@d.example\"", nil),
        ] as [(String, String, Bool, String?, String?)]
    )
    func addresses(_ sender: String, _ helo: String, _ isUTF8: Bool, _ from: String?, _ name: String?) async throws {
        let body = try await field("v=spf1 -all", from: sender, helo: helo, isInternationalized: isUTF8)
        func value(_ key: String) -> Substring? {
            body.split(separator: "\n\t").first { $0.hasPrefix(key + "=") }?.dropFirst(key.utf8.count + 1).prefix {
                $0 != ";"
            }
        }
        #expect(value("envelope-from") == from.map { $0[...] })
        #expect(value("helo") == name.map { $0[...] })
        #expect(value("identity") == "mailfrom")
    }

    @Test(
        "nothing gets out of its quotes",
        arguments: [
            "a\r\nX: y", "a\nb", "a\"; result=pass; x=\"", "a\\", "(a)", "a\0b", "a;b", "j\u{F6}rg",
            String(repeating: "a", count: 5000),
        ]
    )
    func injection(_ text: String) async throws {
        let body = try await field("v=spf1 -all", from: text + "@d.example", helo: text)
        #expect(body.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x09 || $0 == 0x0A })
        let lines = body.split(separator: "\n")
        // What cannot be written as it is has no pair.
        #expect((5...7).contains(lines.count))
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("\t") })
        #expect(lines.allSatisfy { $0.utf8.count < 998 })
    }
}
