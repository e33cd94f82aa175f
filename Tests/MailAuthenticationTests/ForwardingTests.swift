import DKIM
import DNSLookup
import FoundationEssentials
import MailAuthentication
import MailSyntax
import Policy
import PosternConfiguration
import TestSupport
import Testing

/// Mail by lists and forwarders, and what forgers make look like it.
@Suite("Lists and forwarders")
struct ForwardingTests {
    /// Fields under a signature of a domain, with the key of the sample.
    private static func signed(by domain: String, _ fields: [String], covering names: [String]? = nil) throws
        -> [String]
    {
        var headers = HeaderBlock()
        for field in fields { headers.append(field) }
        let key = try DKIMSigningKey(domain: DomainName(domain), selector: DomainName("s"), key: Sample.key.get())
        var options = DKIMSigningOptions()
        if let names { options.headers = names }
        var signer = DKIMMessageSigner(keys: [key], options: options, now: Sample.now)
        signer.endOfHeaders(headers)
        unsafe Array(Sample.body.utf8).withUnsafeBytes { unsafe signer.body($0) }
        return try signer.finish().map { "DKIM-Signature:" + $0[...].text } + fields
    }

    private static func zone(_ more: [String] = []) throws -> DNSZone {
        var zone = try Sample.zone()
        let key = try Sample.signingKey().recordText()
        for domain in ["lists.example.net", "evil.example", "mx.example.net"] {
            try zone.add("s._domainkey.\(domain) TXT \(key)")
        }
        for line in more { try zone.add(line) }
        return zone
    }

    private static let client = IPAddress("198.51.100.7")
    /// The client is a host of the list, by its name.
    private static let named = ["7.100.51.198.in-addr.arpa PTR out.example.net", "out.example.net A 198.51.100.7"]
    private static let post = [
        "From: a@example.com", "Subject: [users] hi", "List-Id: Users <users.lists.example.net>",
    ]
    private static let askList = "[[rules]]\nname = \"l\"\nwhen = { list_verified = true }\naction = \"mark\"\n"

    private static func judge(_ fields: [String], _ zone: DNSZone, rules: String = askList) async throws -> Judgement {
        try await Sample.judge(fields, zone, envelope: Sample.envelope(client: client), rules: rules)
    }

    private static func verified(_ judgement: Judgement) -> Truth {
        judgement.assessment.facts(judgement.envelope).listVerified
    }

    @Test("a signature of the list's domain, or of one above it, vouches for the List-Id that it covers")
    func signature() async throws {
        let zone = try Self.zone()
        #expect(Self.verified(try await Self.judge(Self.signed(by: "lists.example.net", Self.post), zone)) == .yes)
        let bare = try Self.signed(by: "lists.example.net", Self.post, covering: ["From", "Subject"])
        #expect(Self.verified(try await Self.judge(bare, zone)) == .no)
    }

    @Test("a forged List-Id gets nothing")
    func forged() async throws {
        let zone = try Self.zone()
        #expect(Self.verified(try await Self.judge(Self.post, zone)) == .no)
        // The forger's own signature, for a list of somebody else.
        #expect(Self.verified(try await Self.judge(Self.signed(by: "evil.example", Self.post), zone)) == .no)
        // An honest post to which a second List-Id was added, above or below the signed one.
        let honest = try Self.signed(by: "lists.example.net", Self.post)
        for fields in [["List-Id: <x.evil.example>"] + honest, honest + ["List-Id: <x.evil.example>"]] {
            let judgement = try await Self.judge(fields, zone)
            #expect(Self.verified(judgement) == .no)
        }
        // His own list is verified, and is no other: that is why list_id stands beside list_verified.
        let own = try Self.signed(by: "evil.example", ["From: a@example.com", "List-Id: <users.evil.example>"])
        let rules =
            Self.askList + "[[rules]]\nname = \"d\"\nwhen = { dmarc = \"fail\" }\n"
            + "unless = { list_id = \".lists.example.net\", list_verified = true }\naction = \"junk\"\n"
        let judgement = try await Self.judge(own, zone, rules: rules)
        #expect(Self.verified(judgement) == .yes)
        #expect(judgement.verdict.action == .junk && judgement.verdict.excuse == nil)
    }

    @Test("a list excuses, and Authentication-Results and the report say so")
    func excused() async throws {
        let rules =
            "[[rules]]\nname = \"d\"\nwhen = { dmarc = \"fail\" }\n"
            + "unless = { list_id = \".lists.example.net\", list_verified = true }\naction = \"junk\"\n"
        let judgement = try await Self.judge(Self.signed(by: "lists.example.net", Self.post), Self.zone(), rules: rules)
        #expect(judgement.verdict.action == .accept)
        let results = judgement.newFields.first?.value[...].text.replacing("\n\t", with: " ") ?? ""
        #expect(
            results.contains("dmarc=fail reason=\"mailing_list/users.lists.example.net\" header.from=example.com")
        )
        #expect(judgement.text(withTrace: false).contains("excused from DMARC: mailing_list/users.lists.example.net\n"))
    }

    @Test(
        "a host beside the list vouches where the DNS says that they are one organization",
        arguments: [
            ([], Truth.no), (["_dmarc.example.net TXT v=DMARC1; p=none"], .yes),
            (["_dmarc.example.net TXT v=DMARC1; p=none; psd=y"], .no), (["_dmarc.example.net FAILURE"], .unanswered),
        ] as [([String], Truth)]
    )
    func organization(_ records: [String], _ expected: Truth) async throws {
        let judgement = try await Self.judge(Self.post, Self.zone(Self.named + records))
        #expect(Self.verified(judgement) == expected)
    }

    @Test("no rule asks, so the DNS is not asked, and the answer stays open where it would be needed")
    func unasked() async throws {
        let zone = try Self.zone(Self.named + ["_dmarc.example.net TXT v=DMARC1; p=none"])
        let judgement = try await Self.judge(Self.post, zone, rules: "")
        #expect(Self.verified(judgement) == .unknown)
        #expect(!judgement.lookups.contains { "\($0.question)".contains("_dmarc.users.lists.example.net") })
        #expect(Self.verified(try await Self.judge(Array(Self.post.dropLast()), zone, rules: "")) == .no)
    }

    @Test(
        "forwarded: SPF fails, and the author's signature holds but for a change that is known",
        arguments: [
            ("", Truth.yes), ("-- \r\nSent by a list\r\n", .yes), ("192.0.2.1", .no), ("x", .no),
        ]
    )
    func forwarded(_ change: String, _ expected: Truth) async throws {
        var lines = try Sample.signed(["From: a@example.com", "Subject: hi"])
        if change == "x" { lines = ["From: a@example.com", "Subject: hi"] }
        let footer = change.hasPrefix("--") ? change : ""
        let text = lines.joined(separator: "\r\n") + "\r\n\r\n" + Sample.body + footer
        let judgement = try await Sample.judge(
            message: StoredMessage(Octets(text)),
            Self.zone(),
            envelope: Sample.envelope(client: change == "192.0.2.1" ? IPAddress(change) : Self.client)
        )
        #expect(judgement.assessment.facts(judgement.envelope).forwarded == expected)
    }

    @Test(
        "permitted_by asks for the records of the named domains, and of no others",
        arguments: [
            ("relay.example", "ip4:198.51.100.0/24 -all", RuleAction.accept), ("relay.example", "-all", .reject),
            ("other.example", "ip4:198.51.100.0/24 -all", .reject),
        ]
    )
    func permits(_ domain: String, _ record: String, _ expected: RuleAction) async throws {
        let rules =
            "[[rules]]\nname = \"s\"\nwhen = { spf = \"fail\" }\nunless = { permitted_by = \"relay.example\" }\naction = \"reject\"\n"
        let zone = try Self.zone(["\(domain) TXT v=spf1 \(record)"])
        #expect(try await Self.judge(["From: a@example.com"], zone, rules: rules).verdict.action == expected)
        let unasked = try await Self.judge(["From: a@example.com"], zone, rules: "")
        #expect(!unasked.lookups.contains { "\($0.question)".contains(domain) })
    }

    @Test("permitted_by without an answer leaves the rule undecided")
    func openPermit() async throws {
        let rules =
            "[[rules]]\nname = \"s\"\nwhen = { spf = \"fail\" }\nunless = { permitted_by = \"relay.example\" }\naction = \"reject\"\n"
        let zone = try Self.zone(["relay.example FAILURE"])
        let verdict = try await Self.judge(["From: a@example.com"], zone, rules: rules).verdict
        #expect(verdict.action == .tempfail && verdict.undecided.map(\.description) == ["s:permitted_by"])
    }
}

/// The preset, and forwarders by their seals.
extension ForwardingTests {
    private static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/"

    private static func preset() throws -> String {
        try String(contentsOfFile: root + "Packaging/presets/careful.toml", encoding: .utf8)
            .replacing("mode = \"enforce\"", with: "")
    }

    @Test("careful refuses nothing for p=reject alone, and gives a forged List-Id nothing")
    func careful() async throws {
        let rules = try Self.preset()
        let zone = try Self.zone()
        let named = try Self.zone(Self.named)
        func action(_ fields: [String], _ zone: DNSZone) async throws -> RuleAction {
            try await Self.judge(fields, zone, rules: rules).verdict.action
        }
        // A forgery by a host without a name, bare and with a List-Id of a list that is listed.
        #expect(try await action(["From: a@example.com"], zone) == .reject)
        #expect(try await action(Self.post, zone) == .reject)
        #expect(try await action(Self.signed(by: "evil.example", Self.post), zone) == .reject)
        // By a host with a name: the mailbox is told.
        #expect(try await action(["From: a@example.com"], named) == .junk)
        // A list that is not listed, and one that is.
        let other = try Self.signed(by: "mx.example.net", ["From: a@example.com", "List-Id: <u.mx.example.net>"])
        #expect(try await action(other, zone) == .junk)
        #expect(try await action(Self.signed(by: "lists.example.net", Self.post), zone) == .accept)
        // What the author has signed.
        #expect(try await action(Sample.signed(["From: a@example.com"]), zone) == .accept)
    }

    private static func sealed(
        _ listed: String,
        change: (inout String) -> Void = { _ in }
    ) async throws -> Judgement {
        let file = try JSONDecoder().decode([String: [String: [[String]]]].self, from: Vectors.read("arc/dns.json"))
        var zone = try Sample.zone()
        for (name, types) in file {
            for text in types["TXT"] ?? [] { zone.add(.txt([UInt8](text.joined().utf8)), at: try DomainName(name)) }
        }
        var text = String(decoding: try Vectors.read("arc/three.eml"), as: UTF8.self)
        try zone.add("_dmarc.author.example TXT v=DMARC1; p=reject")
        change(&text)
        let rules = """
            [[trusted_forwarders]]
            name = "f"
            sealers = ["\(listed)"]
            [[rules]]
            name = "d"
            when = { dmarc = "fail" }
            action = "reject"

            """
        return try await Sample.judge(
            message: StoredMessage(Octets(text)),
            zone,
            envelope: Sample.envelope(client: client),
            checks: [.spf, .dkim, .dmarc, .arc, .iprev],
            rules: rules
        )
    }

    @Test("a listed sealer excuses only as the newest of an unbroken chain, whatever AAR fields say")
    func sealers() async throws {
        let newest = try await Self.sealed("mx.example.org")
        #expect(newest.verdict.excuse?.description == "trusted_forwarder/f" && newest.verdict.action == .accept)
        // Listed, but a later instance is another's.
        for earlier in ["list.example.net", "relay.example.com"] {
            #expect(try await Self.sealed(earlier).verdict.action == .reject)
        }
        let forged = try await Self.sealed("mx.example.org") { text in
            text.replace("ARC-Authentication-Results: i=3;", with: "ARC-Authentication-Results: i=3; dmarc=pass;")
        }
        #expect(forged.verdict.excuse == nil && forged.verdict.action == .reject)
        let bare = try await Self.sealed("mx.example.org") { text in
            text.replace("ARC-Seal", with: "X-Seal")
            text.replace("ARC-Message-Signature", with: "X-Signature")
        }
        #expect(bare.verdict.excuse == nil && bare.verdict.action == .reject)
    }
}
