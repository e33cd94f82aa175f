import FoundationEssentials
import Policy
import PosternConfiguration
import Testing

/// The rule sets that are shipped as starting points.
@Suite("Presets")
struct PresetTests {
    private static let folder =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/Packaging/presets/"

    @Test("load without a warning", arguments: ["stamp-only", "spf-strict", "hotmail", "sid-milter"])
    func loads(_ name: String) throws {
        let preset = try Configuration.load(path: Self.folder + name + ".toml")
        #expect(preset.mode == .enforce)
        #expect(preset.warnings.isEmpty)
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
        facts.senderID = .fail
        facts.dkim = ResultWord.none
        facts.dkimAligned = ResultWord.none
        facts.dmarc = ResultWord.none
        facts.mailFrom = MailAddress(sender)
        facts.pra = MailAddress(sender)
        let engine = PolicyEngine(rules: preset.rules, mode: preset.mode, mixed: preset.mixed)
        #expect(engine.judge(facts, engine.kinds(of: recipients.map { MailAddress($0) })).action == expected)
    }
}
