import PosternConfiguration
import PosternSetup
import TestSupport
import Testing

@Suite("Keys that a configuration names")
struct SigningTableTests {
    @Test("every bad key is named, with its file and line")
    func badKeys() throws {
        let folder = try Folder()
        let bad = try folder.write("bad.pem", Array("no key".utf8))
        let text = """
            [[signing]]
            domain = "example.org"
            keys = [ { selector = "s", file = "\(folder.path)/gone.pem" } ]
            [[signing]]
            domain = "example.net"
            keys = [ { selector = "s", file = "\(bad)" } ]
            """
        let configuration = try Configuration.parse(text, file: "postern.toml")
        do throws(ConfigurationError) {
            _ = try SigningTable(configuration.signing)
            Issue.record("bad keys were taken")
        } catch {
            #expect(
                error.problems.map { "\($0.file):\($0.line) \($0.key)" } == [
                    "postern.toml:3 signing[1].keys[1].file", "postern.toml:6 signing[2].keys[1].file",
                ]
            )
            #expect(error.problems.first?.message.contains("\(folder.path)/gone.pem") == true)
            #expect(error.problems.last?.message.contains(bad) == true)
        }
    }
}
