import DKIM
import DNSLookup
import FoundationEssentials
import MailAuthentication
import MailCrypto
import MailSyntax
import Policy
import PosternConfiguration
import Testing

/// A forged message, dressed up so that some check has another word than the rules may list.
struct Disguise: Sendable, CustomTestStringConvertible {
    let name: String
    /// The header fields, made of those of the plain forgery.
    let dress: @Sendable ([String]) throws -> [String]

    var testDescription: String { name }

    init(_ name: String, _ dress: @escaping @Sendable ([String]) throws -> [String]) {
        self.name = name
        self.dress = dress
    }

    /// More fields above the others.
    init(_ name: String, above lines: String...) {
        self.init(name) { lines + $0 }
    }

    /// A signature that is not made by a key.
    init(_ name: String, signature tags: String) {
        self.init(name, above: "DKIM-Signature: " + tags)
    }
}

/// Forgers, what they publish, and what they can do to a message.
private enum Forger {
    static let client = "203.0.113.66"

    /// The tags of a signature that no key has made.
    private static func tags(
        v: String = "1",
        a: String = "ed25519-sha256",
        d: String = "attacker.example",
        s: String = "a",
        h: String = "from",
        more: String = ""
    ) -> String {
        "v=\(v); a=\(a); d=\(d); s=\(s); \(more)h=\(h); bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AA=="
    }

    static let ofSignatures: [Disguise] = [
        Disguise("none") { $0 },
        Disguise("a field that is no signature", signature: "x"),
        Disguise("an empty one", signature: ""),
        Disguise("of a later version", signature: tags(v: "2")),
        Disguise("without a key", signature: tags(a: "rsa-sha256", s: "no")),
        Disguise("of the author without a key", signature: tags(a: "rsa-sha256", d: "soft.example", s: "no")),
        Disguise("by a key of the author", signature: tags(d: "example.com", s: "s")),
        Disguise("by SHA-1", signature: tags(a: "rsa-sha1")),
        Disguise("by an unknown algorithm", signature: tags(a: "rot13")),
        Disguise("without From in h=", signature: tags(h: "to")),
        Disguise("by a key that is not answered for", signature: tags(a: "rsa-sha256", s: "silent")),
        Disguise("by a revoked key", signature: tags(a: "rsa-sha256", s: "gone")),
        Disguise("with i= elsewhere", signature: tags(more: "i=@example.com; ")),
        Disguise("that is over", signature: tags(more: "t=1; x=2; ")),
        Disguise("of nothing of the body", signature: tags(more: "l=0; ")),
        Disguise("with a tag twice", signature: tags(more: "v=1; ")),
        Disguise("of his own") { try sign($0) },
        Disguise("of his own, being tested") { try sign($0, selector: "test") },
        Disguise("of his own above a broken one") { try sign(["DKIM-Signature: x"] + $0) },
        Disguise("of his own, altered") { try sign($0).map { $0.hasPrefix("Subject") ? $0 + "!" : $0 } },
        Disguise("too many") { Array(repeating: "DKIM-Signature: x", count: 12) + $0 },
        Disguise("a result of ours", above: "Authentication-Results: mx.example.org; dkim=pass; dmarc=pass"),
        Disguise("Precedence and a list", above: "List-Id: <l.attacker.example>", "Precedence: list"),
    ]

    static let ofAuthors: [Disguise] = [
        Disguise("a Sender of his own", above: "Sender: x@attacker.example"),
        Disguise("two Senders", above: "Sender: x@attacker.example", "Sender: y@attacker.example"),
        Disguise("a Sender that is none", above: "Sender: x"),
        Disguise("a Resent-From that is none", above: "Resent-From: x"),
        Disguise("a Resent-From of his own", above: "Resent-From: y@attacker.example"),
        Disguise("a comma in the name", replacing: "Boss, The <ceo@example.com>"),
        Disguise("brackets in the name", replacing: "[Boss] <ceo@example.com>"),
        Disguise("a no-break space", replacing: "The Boss <ceo@example.com\u{A0}>"),
        Disguise("an apostrophe", replacing: "The Boss <ceo@example.com'>"),
        Disguise("two authors", replacing: "ceo@example.com, x@attacker.example"),
        Disguise("an encoded address", replacing: "=?utf-8?q?ceo=40example.com?= <x>"),
        Disguise("white space before the colon") { $0.map { $0.replacing("From:", with: "From :") } },
        Disguise("two From fields") { $0 + ["From: x@attacker.example"] },
        Disguise("a name below", replacing: "The Boss <ceo@www.example.com>"),
    ]

    /// An enrolled sender who is not the author: the author is the forger, and may sign.
    static let ofSenders: [Disguise] = [
        Disguise("Sender", above: "Sender: The Boss <ceo@example.com>"),
        Disguise("Sender, signed") { try sign(["Sender: The Boss <ceo@example.com>"] + $0) },
        Disguise("Sender above the signature") { ["Sender: ceo@example.com"] + (try sign($0)) },
        Disguise("Resent-From, signed") { try sign(["Resent-From: ceo@example.com"] + $0) },
        Disguise("Resent-Sender, signed") {
            try sign(["Resent-Sender: ceo@example.com", "Resent-From: x@attacker.example"] + $0)
        },
        Disguise("Sender below the enrolled, signed") { try sign(["Sender: ceo@www.example.com"] + $0) },
    ]

    /// What the enrolled domain publishes.
    enum Enrolled: String, CaseIterable {
        case strict
        case withoutDMARC
        case softfail
    }

    static func zone(_ enrolled: Enrolled = .strict) throws -> DNSZone {
        let record = try key("a").recordText()
        var zone = try Sample.zone(
            "www.example.com TXT v=spf1 -all",
            "attacker.example TXT v=spf1 ip4:203.0.113.66 -all",
            "soft.example TXT v=spf1 ip4:192.0.2.1 ~all",
            "a._domainkey.attacker.example TXT \(record)",
            "test._domainkey.attacker.example TXT \(record); t=y",
            "gone._domainkey.attacker.example TXT v=DKIM1; p=",
            "silent._domainkey.attacker.example FAILURE timeout",
            "_dmarc.attacker.example TXT v=DMARC1; p=none",
            without: enrolled == .strict
                ? [] : enrolled == .softfail ? ["_dmarc.example.com", "example.com"] : ["_dmarc"]
        )
        if enrolled == .softfail { try zone.add("example.com TXT v=spf1 ip4:192.0.2.1 ~all") }
        return zone
    }

    private static func key(_ selector: String) throws -> DKIMSigningKey {
        let domain = try DomainName("attacker.example")
        return try DKIMSigningKey(domain: domain, selector: DomainName(selector), key: Sample.key.get())
    }

    static func sign(_ fields: [String], selector: String = "a") throws -> [String] {
        var headers = HeaderBlock()
        for field in fields { headers.append(field) }
        var signer = DKIMMessageSigner(keys: [try key(selector)], now: Sample.now)
        signer.endOfHeaders(headers)
        unsafe Array(Sample.body.utf8).withUnsafeBytes { unsafe signer.body($0) }
        return try signer.finish().map { "DKIM-Signature:" + $0[...].text } + fields
    }
}

extension Disguise {
    fileprivate init(_ name: String, replacing author: String) {
        self.init(name) { $0.map { $0.hasPrefix("From:") ? "From: " + author : $0 } }
    }
}

/// Whatever a forger puts on, the rules that are shipped treat the message no better than without it.
@Suite("Disguises")
struct DisguiseTests {
    private static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/"

    private static func rules(_ name: String) throws -> RuleSet {
        switch name {
        case "sample": return try Configuration.parse(Configuration.sample, file: root + "Packaging/postern.toml").rules
        case "README":
            let text = try String(contentsOfFile: root + "README.md", encoding: .utf8)
            let block = text.components(separatedBy: "```toml\n").dropFirst().first?.components(separatedBy: "```")
                .first
            let path = root + "Packaging/presets/enrolled"
            let lists = (block ?? "").replacing("/etc/postern/enrolled", with: path)
            return try Configuration.parse(lists, file: "README.md").rules
        case _ where name.hasPrefix("sid-") && name != "sid-milter": return try combination(name)
        default: return try Configuration.load(path: root + "Packaging/presets/\(name).toml").rules
        }
    }

    /// sid-milter.toml with the "#" taken off the rules whose names begin so, and put before the others, as it says.
    private static func combination(_ name: String) throws -> RuleSet {
        let text = try String(contentsOfFile: root + "Packaging/presets/sid-milter.toml", encoding: .utf8)
        let rules = text.components(separatedBy: "\n#[[rules]]\n").dropFirst().map { rule in
            rule.split(separator: "\n").prefix { $0.hasPrefix("#") && !$0.hasPrefix("# ") }.map { $0.dropFirst() }
        }
        let chosen = rules.filter { $0.first?.hasPrefix("name = \"\(name)") == true }
        try #require(!chosen.isEmpty)
        let lines = chosen.flatMap { ["[[rules]]"] + $0 }.joined(separator: "\n")
        let shipped = text.replacing("mode = \"enforce\"", with: "mode = \"enforce\"\n" + lines)
        return try Configuration.parse(shipped, file: "sid-milter.toml").rules
    }

    /// What becomes of a message from the forger's host.
    private func judgement(
        _ rules: String,
        _ fields: [String],
        sender: String = "x@attacker.example",
        to recipient: String = "b@open.example",
        zone: DNSZone? = nil
    ) async throws -> Judgement {
        let judge = MessageJudge(
            settings: AuthenticationSettings(),
            headers: HeaderSettings(authservID: Octets("mx.example.org")),
            engine: PolicyEngine(rules: try Self.rules(rules), mode: .enforce),
            resolver: try zone ?? Forger.zone(),
            timeout: .seconds(60)
        )
        let envelope = Envelope(
            clientAddress: IPAddress(Forger.client),
            helo: Array("mail.attacker.example".utf8),
            sender: Array(sender.utf8),
            recipients: [Array(recipient.utf8)]
        )
        let message = StoredMessage(Octets(fields.joined(separator: "\r\n") + "\r\n\r\n" + Sample.body))
        return await judge.judge(envelope, message: message, now: Sample.now)
    }

    private func action(
        _ rules: String,
        _ fields: [String],
        sender: String = "x@attacker.example",
        to recipient: String = "b@open.example",
        zone: DNSZone? = nil
    ) async throws -> RuleAction {
        try await judgement(rules, fields, sender: sender, to: recipient, zone: zone).verdict.action
    }

    @Test(
        "a softfail that nothing of the author's vouches for is junk",
        arguments: ["hotmail", "sample"],
        Forger.ofSignatures
    )
    func softfail(_ rules: String, _ disguise: Disguise) async throws {
        let fields = try disguise.dress(["From: A <a@soft.example>", "Subject: Hello"])
        #expect(try await action(rules, fields) == .junk)
    }

    @Test(
        "the forged author is an enrolled sender: refused at a protected recipient, or junk",
        arguments: [("hotmail", "b@hotmail.example"), ("README", "b@example.org")],
        Forger.ofSignatures + Forger.ofAuthors
    )
    func enrolled(_ ruled: (String, String), _ disguise: Disguise) async throws {
        let (rules, protected) = ruled
        let plain = try disguise.dress(["From: The Boss <ceo@example.com>", "Subject: Hello"])
        for enrolled in Forger.Enrolled.allCases {
            let zone = try Forger.zone(enrolled)
            // Nobody can sign what has two From fields.
            for fields in [plain, (try? Forger.sign(plain)) ?? plain] {
                let atProtected = try await action(rules, fields, to: protected, zone: zone)
                #expect(atProtected == .reject || atProtected == .junk, "\(enrolled)")
                #expect(try await action(rules, fields, zone: zone) == .junk, "\(enrolled)")
            }
        }
    }

    @Test(
        "an enrolled sender above another author is refused at a protected recipient, and junk elsewhere",
        arguments: Forger.ofSenders,
        ["x@attacker.example", "ceo@example.com"]
    )
    func senders(_ disguise: Disguise, _ sender: String) async throws {
        let fields = try disguise.dress(["From: x@attacker.example", "Subject: Hello"])
        #expect(try await action("hotmail", fields, sender: sender, to: "b@hotmail.example") == .reject)
        #expect(try await action("hotmail", fields, sender: sender) == .junk)
        #expect(try await action("README", fields, sender: sender, to: "b@example.org") == .reject)
    }

    @Test("RFC 6376 § 3.6.1: an enrolled sender's signature in testing mode exempts no more than none")
    func testing() async throws {
        let record = try Sample.signingKey().recordText()
        let fields = try Sample.signed(["From: The Boss <ceo@example.com>", "Subject: Hello"])
        for (tags, actions) in [("", [RuleAction.accept, .accept]), ("; t=y", [.reject, .junk])] {
            let zone = try Sample.zone(
                "s._domainkey.example.com TXT \(record)\(tags)",
                without: ["s._domainkey", "_dmarc"]
            )
            let found = [
                try await action("hotmail", fields, to: "b@hotmail.example", zone: zone),
                try await action("hotmail", fields, zone: zone),
            ]
            #expect(found == actions, "\(tags)")
        }
    }

    @Test(
        "a failing envelope is refused whatever the header says",
        arguments: ["spf-strict", "sample", "README", "sid-spf", "sid-either"],
        Forger.ofSignatures + Forger.ofAuthors
    )
    func envelope(_ rules: String, _ disguise: Disguise) async throws {
        let fields = try disguise.dress(["From: The Boss <ceo@example.com>", "Subject: Hello"])
        #expect(try await action(rules, fields, sender: "ceo@example.com") == .reject)
    }

    @Test(
        "where Sender ID decides, no signature makes a failing message better",
        arguments: ["sid-sender-id", "sid-either", "sid-both", "sid-neither-passes"],
        Forger.ofSignatures
    )
    func senderID(_ rules: String, _ disguise: Disguise) async throws {
        let fields = try disguise.dress(["From: The Boss <ceo@example.com>", "Subject: Hello"])
        #expect(try await action(rules, fields, sender: "ceo@example.com") == .reject)
    }

    @Test(
        "where nothing is refused, nothing but stamps happens",
        arguments: ["stamp-only", "sid-milter"],
        Forger.ofSignatures + Forger.ofAuthors
    )
    func stamps(_ rules: String, _ disguise: Disguise) async throws {
        let fields = try disguise.dress(["From: The Boss <ceo@example.com>", "Subject: Hello"])
        for sender in ["ceo@example.com", "x@attacker.example"] {
            let judgement = try await judgement(rules, fields, sender: sender)
            let verdict = judgement.verdict
            #expect(verdict.action == .accept && verdict.reply == nil && verdict.marks.isEmpty && !verdict.isUndecided)
            #expect(verdict.rule?.name == (rules == "sid-milter" ? "sid-stamp-only" : nil))
            let fields = Set(judgement.newFields.map(\.name))
            #expect(fields.contains("Authentication-Results"))
            #expect(fields.isSubset(of: ["Authentication-Results", "X-SID-PRA", "X-SID-Result", "X-DKIM-Result"]))
        }
    }

    @Test("beside them, mail that does not say who its author is can be set aside", arguments: Forger.ofAuthors)
    func unreadable(_ disguise: Disguise) async throws {
        let fields = try disguise.dress(["From: The Boss <ceo@example.com>", "Subject: Hello"])
        let judgement = try await judgement("sid-unreadable-author", fields)
        let isUnreadable = judgement.assessment.author?.reading == .unreadable
        #expect(judgement.verdict.action == (isUnreadable ? .junk : .accept))
        if disguise.name == "a no-break space" || disguise.name == "two From fields" { #expect(isUnreadable) }
    }

    @Test(
        "an enrolled sender's own mail passes DMARC and the rules, whatever its header is like",
        arguments: [
            [], ["Sender: root"], ["Sender: a@example.com", "Sender: b@example.com"], ["Sender: <>"],
            ["Sender: a@example.com, b@example.com"], ["Resent-From: Undisclosed"],
            ["Resent-From: a@agency.example, b@agency.example"],
        ],
        [
            "From: The Boss <ceo@example.com>", "From: ceo@example.com, cfo@example.com",
            "From: Team: ceo@example.com;",
            "From: Boss, The <ceo@example.com>",
        ]
    )
    func honest(_ above: [String], _ author: String) async throws {
        let fields = above + [author, "Subject: Hello"]
        for (rules, recipient) in [("hotmail", "b@hotmail.example"), ("README", "b@example.org")] {
            let judge = MessageJudge(
                settings: AuthenticationSettings(),
                headers: HeaderSettings(authservID: Octets("mx.example.org")),
                engine: PolicyEngine(rules: try Self.rules(rules), mode: .enforce),
                resolver: try Forger.zone(),
                timeout: .seconds(60)
            )
            var envelope = Sample.envelope(sender: "ceo@example.com")
            envelope.recipients = [Array(recipient.utf8)]
            let message = StoredMessage(Octets(fields.joined(separator: "\r\n") + "\r\n\r\n" + Sample.body))
            let verdict = await judge.judge(envelope, message: message, now: Sample.now).verdict
            #expect(verdict.action == .accept, "\(rules): \(verdict.rule?.name ?? "")")
        }
    }

    @Test("an enrolled sender's signature survives a forwarder")
    func forwarded() async throws {
        let fields = try Sample.signed(["From: The Boss <ceo@example.com>", "Subject: Hello"])
        for enrolled in Forger.Enrolled.allCases {
            let zone = try Forger.zone(enrolled)
            #expect(try await action("hotmail", fields, to: "b@hotmail.example", zone: zone) == .accept)
            #expect(try await action("README", fields, to: "b@example.org", zone: zone) == .accept)
        }
    }

    @Test("an enrolled sender's own mail passes, signed or not, and by an agency with its own MAIL FROM")
    func honest() async throws {
        let plain = ["From: The Boss <ceo@example.com>", "Subject: Hello"]
        let judge = MessageJudge(
            settings: AuthenticationSettings(),
            headers: HeaderSettings(authservID: Octets("mx.example.org")),
            engine: PolicyEngine(rules: try Self.rules("hotmail"), mode: .enforce),
            resolver: try Sample.zone("agency.example TXT v=spf1 ip4:192.0.2.1 -all", without: ["_dmarc"]),
            timeout: .seconds(60)
        )
        let signed = try Sample.signed(plain)
        let sent = try Sample.signed(["Sender: x@agency.example"] + plain)
        for (fields, sender) in [
            (plain, "ceo@example.com"), (signed, "ceo@example.com"), (plain, "bounce@agency.example"),
            (sent, "bounce@agency.example"), (plain, "x@unknown.example"),
        ] {
            let message = StoredMessage(Octets(fields.joined(separator: "\r\n") + "\r\n\r\n" + Sample.body))
            let judgement = await judge.judge(Sample.envelope(sender: sender), message: message, now: Sample.now)
            #expect(judgement.verdict.action == .accept, "\(sender)")
        }
    }
}
