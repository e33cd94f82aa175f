import FoundationEssentials
import MailSyntax
import Policy
import PosternConfiguration
import Testing

/// The rule sets that are shipped as starting points.
@Suite("Presets")
struct PresetTests {
    private static let folder =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/Packaging/presets/"

    @Test(
        "load, with a warning of what is marked to be changed alone",
        arguments: ["stamp-only", "spf-strict", "hotmail", "sid-milter", "careful"]
    )
    func loads(_ name: String) throws {
        let preset = try Configuration.load(path: Self.folder + name + ".toml")
        #expect(preset.mode == (name == "stamp-only" ? .observe : .enforce))
        for warning in preset.warnings {
            let text = try String(contentsOfFile: warning.file, encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let isMarked = lines.prefix(warning.line).suffix(2).contains { $0.contains("CHANGE THIS") }
            #expect(isMarked && warning.message.contains("for documents only"), "\(warning)")
        }
        #expect(preset.warnings.isEmpty == !["spf-strict", "hotmail", "careful"].contains(name))
    }

    @Test("each combination of sid-milter.toml is a configuration of its own")
    func combinations() throws {
        let text = try String(contentsOfFile: Self.folder + "sid-milter.toml", encoding: .utf8)
        let sections = text.components(separatedBy: "\n# --- ").dropFirst()
        #expect(sections.count == 8)
        for section in sections {
            let lines = section.split(separator: "\n").dropFirst().map { $0.hasPrefix("#") ? $0.dropFirst() : $0[...] }
            let preset = try Configuration.parse(lines.joined(separator: "\n"), file: "sid-milter.toml")
            #expect(!preset.rules.rules.isEmpty)
        }
    }

    @Test(
        "the Hotmail model refuses enrolled senders at protected recipients only",
        arguments: [
            ("a@example.com", ["x@hotmail.example"], RuleAction.reject),
            ("a@sub.example.com", ["x@msn.example"], .reject),
            ("a@example.org", ["x@hotmail.example"], .junk),
            ("a@example.com", ["x@other.example"], .junk),
            ("a@example.com", ["x@hotmail.example", "y@other.example"], .tempfail),
        ]
    )
    func hotmail(_ sender: String, _ recipients: [String], _ expected: RuleAction) throws {
        let preset = try Configuration.load(path: Self.folder + "hotmail.toml")
        var facts = PolicyFacts()
        facts.results.senderID = .fail
        facts.results.dkim = ResultWord.none
        facts.dkimAligned = ResultWord.none
        facts.results.dmarc = ResultWord.none
        facts.mailFrom = MailAddress(sender)
        facts.pra = MailAddress(sender)
        let engine = PolicyEngine(rules: preset.rules, mode: preset.mode, mixed: preset.mixed)
        #expect(engine.judge(facts, engine.kinds(of: recipients.map { MailAddress($0) })).action == expected)
    }

    @Test(
        "no line in the header leads round the rule about enrolled senders",
        arguments: [
            // sender_id, sender_id_aligned, reading, the domains of From, and what becomes of it
            ("fail", "fail", AuthorReading.readable, "example.com", RuleAction.reject),
            ("fail", "fail", .repaired, "example.com", .reject),
            ("permerror", "none", .readable, "example.com", .reject),
            ("permerror", "none", .repaired, "sub.example.com", .reject),
            ("permerror", "none", .unreadable, "example.com", .junk),
            ("permerror", "permerror", .readable, "example.com", .junk),
            ("pass", "none", .readable, "example.com", .junk),
            ("none", "none", .readable, "example.com", .junk),
            ("fail", "none", .readable, "example.com", .junk),
            ("temperror", "temperror", .readable, "example.com", .tempfail),
            ("pass", "pass", .readable, "example.com", .accept),
            ("pass", "none", .readable, "other.example", .accept),
            ("permerror", "none", .readable, "other.example", .accept),
        ]
    )
    func enrolledAuthors(
        _ senderID: String,
        _ aligned: String,
        _ reading: AuthorReading,
        _ author: String,
        _ expected: RuleAction
    ) throws {
        let preset = try Configuration.load(path: Self.folder + "hotmail.toml")
        var facts = PolicyFacts()
        facts.results.senderID = ResultWord(rawValue: senderID)
        facts.senderIDAligned = ResultWord(rawValue: aligned)
        facts.results.dkim = ResultWord.none
        facts.dkimAligned = ResultWord.none
        facts.results.dmarc = reading == .unreadable ? .permerror : ResultWord.none
        facts.author = reading
        facts.fromDomains = [try DomainName(author)]
        facts.mailFrom = MailAddress("x@evil.example")
        // Only a failing PRA is the author's here: the forger's own is another, and two Sender fields are none.
        facts.pra = MailAddress(aligned == "fail" ? "ceo@\(author)" : "")
        let engine = PolicyEngine(rules: preset.rules, mode: preset.mode, mixed: preset.mixed)
        let recipients = engine.kinds(of: [MailAddress("x@hotmail.example")])
        #expect(engine.judge(facts, recipients).action == expected)
        // Whoever has signed as the author is let through.
        facts.results.dkim = .pass
        facts.dkimAligned = .pass
        #expect(reading == .unreadable || engine.judge(facts, recipients).action == .accept)
    }
}
