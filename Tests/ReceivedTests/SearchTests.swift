import FoundationEssentials
import MailSyntax
import Received
import TestSupport
import Testing

@Suite("The true client of a relayed message")
struct SearchTests {
    private static let names = Set(
        ["relay.example.org", "mx2.example.org", "localhost"].compactMap { try? DomainName($0) }
    )

    /// Searches these fields, from the top; relays are those in 192.0.2.0/28.
    private static func search(_ fields: [String]) -> String {
        var search = TrueClientSearch(names: names) { IPNetwork("192.0.2.0/28")?.contains($0) == true }
        for field in fields { search.take(Octets(field)) }
        search.end()
        return switch search.outcome {
        case .success(let client)?: "\(client.address) \(client.helo[...].text)"
        case .failure(let reason)?: "\(reason)"
        case nil: "open"
        }
    }

    private static func field(_ helo: String, _ address: String, by host: String = "relay.example.org") -> String {
        " from \(helo) (unknown [\(address)]) by \(host) (Postfix) with ESMTP id 4XyZ1; Sat, 28 Nov 2026 10:00:00 +0000"
    }

    private static let outside = field("mail.example.net", "203.0.113.5")
    private static let inside = field("mx2.example.org", "192.0.2.2")
    private static let onLoopback = field("relay.example.org", "127.0.0.1", by: "localhost")

    static let table: [(fields: [String], found: String)] = [
        ([outside], "203.0.113.5 mail.example.net"),
        ([field("x", "IPv6:2001:db8::5", by: "MX2.example.org.")], "2001:db8::5 x"),
        ([inside, field("x", "203.0.113.5", by: "mx2.example.org")], "203.0.113.5 x"),
        ([onLoopback, field("x", "IPv6:::1"), inside, outside], "203.0.113.5 mail.example.net"),
        ([String](repeating: inside, count: 5) + [outside], "203.0.113.5 mail.example.net"),
        ([String](repeating: inside, count: 6) + [outside], "more than 5 steps between relays"),
        ([], "no Received field names a client from outside"),
        ([inside], "no Received field names a client from outside"),
        (
            [field("x", "203.0.113.5", by: "mx.example.net")],
            "Received field is by mx.example.net, which is not in trust.relays.by"
        ),
        (
            [inside, field("x", "203.0.113.5", by: "mx.example.net"), outside],
            "Received field is by mx.example.net, which is not in trust.relays.by"
        ),
        (
            [" by relay.example.org (Postfix, from userid 0) id 4XyZ1", outside],
            "Received field of the relay cannot be read: it names no client"
        ),
        (
            [field("a([192.0.2.99])", "203.0.113.5"), outside],
            "Received field of the relay cannot be read: the client's words in it look like the server's"
        ),
        (
            [field("x (unknown [203.0.113.5]) by mx.example.net (", "203.0.113.5"), outside],
            "Received field of the relay cannot be read: the client's words in it look like the server's"
        ),
        (
            [" from x by relay.example.org", outside],
            "Received field of the relay cannot be read: it has no address of the client where one is known to stand"
        ),
    ]

    @Test("the fields of our own hosts lead to it", arguments: table)
    func finds(_ fields: [String], _ found: String) {
        #expect(Self.search(fields) == found)
    }

    /// All that stands in the vectors, and fields that claim to be by hosts of ours.
    private static func lower() throws -> [String] {
        try FieldTests.read().map(\.value) + [
            outside, inside, onLoopback, field("mail.example.com", "198.51.100.1"),
            field("mail.example.com", "192.0.2.3", by: "mx2.example.org"), "", "\0", "\r\n",
        ]
    }

    @Test("whatever stands below the fields of our own changes nothing", arguments: table)
    func ignoresLowerFields(_ fields: [String], _ found: String) throws {
        // Where hosts of our own say that they had the message from one another only, the sender begins below.
        guard found != "no Received field names a client from outside" else { return }
        var generator = SystemRandomNumberGenerator()
        let lower = try Self.lower()
        for field in lower { #expect(Self.search(fields + [field]) == found) }
        for _ in 0..<200 {
            let added = (0..<Int.random(in: 1...8, using: &generator)).compactMap { _ in lower.randomElement() }
            #expect(Self.search(fields + added) == found, "\(added)")
        }
    }

    @Test("a sender who writes our fields is found by the field that we put on top")
    func forgery() {
        let forged = [Self.inside, Self.field("mail.example.com", "198.51.100.1")]
        #expect(Self.search([Self.outside] + forged) == "203.0.113.5 mail.example.net")
    }

    @Test(
        "a name that the sender chooses is never taken for an address",
        arguments: [
            "[192.0.2.99]", "192.0.2.99", "[192.0.2.2]", "helo=[192.0.2.99]", "by", "from", "(", ")", "HELO",
            "[127.0.0.1]",
        ]
    )
    func names(_ helo: String) {
        let exim = " from \(helo) ([203.0.113.5] helo=\(helo)) by relay.example.org with esmtp (Exim 4.96)"
        let qmail = " from unknown (HELO \(helo)) (203.0.113.5) by relay.example.org with SMTP"
        for field in [Self.field(helo, "203.0.113.5"), exim, qmail] {
            let found = Self.search([field])
            #expect(found.hasPrefix("203.0.113.5 ") || found.hasPrefix("Received field of the relay cannot be read"))
        }
    }
}
