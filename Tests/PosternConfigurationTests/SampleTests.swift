import FoundationEssentials
import Policy
import PosternConfiguration
import Testing

/// The sample is the settings' own words: it must say what is true.
@Suite("Sample configuration")
struct SampleTests {
    @Test("parses, and leaves every setting at its default")
    func sampleEqualsDefaults() throws {
        let sample = try Configuration.parse(Configuration.sample, file: "postern.toml")
        #expect(sample.mode == .observe)
        #expect(!sample.rules.rules.isEmpty)
        #expect(sample.warnings.isEmpty)
        let settings = sample.text.split(separator: "\n\n").filter { !$0.hasPrefix("[[rules]]") }
        let defaults = try Configuration.parse("", file: "postern.toml")
        #expect(settings.joined(separator: "\n\n") == defaults.text)
    }

    @Test("parses with every setting uncommented")
    func uncommented() throws {
        var text = ""
        for line in Configuration.sample.split(separator: "\n", omittingEmptySubsequences: false) {
            // The default socket has no group, and domains stands in place of domain.
            let isSetting =
                line.hasPrefix("#") && line.dropFirst().first != " " && !line.hasPrefix("#group = ")
                && !line.hasPrefix("#domains = ")
            text += (isSetting ? line.dropFirst() : line) + "\n"
        }
        let configuration = try Configuration.parse(text, file: "postern.toml")
        #expect(configuration.authservID == "mx.example.org")
        #expect(configuration.signing.count == 1)
        #expect(configuration.listen.count == 1)
    }

    @Test("what show prints reads back to the same")
    func showReadsBack() throws {
        let first = try Configuration.parse(Configuration.sample, file: "postern.toml")
        let again = try Configuration.parse(first.text, file: "postern.toml")
        #expect(again.text == first.text)
    }

    @Test("the shipped file is the generated one")
    func shipped() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let shipped = try String(contentsOfFile: root + "/Packaging/postern.toml", encoding: .utf8)
        #expect(shipped == Configuration.sample, "run: postern config show --commented > Packaging/postern.toml")
    }
}
