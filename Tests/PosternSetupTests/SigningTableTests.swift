import DKIM
import MailCrypto
import MailSyntax
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

    @Test("one key signs for every domain of a list, each by its own name")
    func manyDomains() throws {
        let folder = try Folder()
        let key = try folder.write("key.pem", PrivateKey.generate(.ed25519, bits: 256).pem())
        let list = try folder.write("domains", Array("example.net # ours\n\nexample.com\n".utf8))
        let text = """
            [[signing]]
            domains = ["example.org", { file = "\(list)" }]
            keys = [ { selector = "s", file = "\(key)" } ]
            """
        let configuration = try Configuration.parse(text, file: "postern.toml")
        let table = try SigningTable(configuration.signing)
        for domain in ["example.org", "example.net", "example.com"] {
            let name = try DomainName(unicode: Octets(domain))
            guard case .sign(let entry) = table.decision(author: name, login: nil) else {
                Issue.record("\(domain) is not signed for")
                continue
            }
            #expect(entry.domain == name)
            #expect(entry.keys.map { "\($0.recordName)" } == ["s._domainkey.\(domain)"])
        }
        #expect(configuration.text.contains("domains = [\"example.org\", { file = \"\(list)\" }]"))
        let again = try Configuration.parse(configuration.text, file: "postern.toml")
        #expect(again.signing.map(\.domains) == configuration.signing.map(\.domains))
    }

    @Test(
        "the name of a key file says whose key it is",
        arguments: [
            ("example.org_2026r.pem", "example.org 2026r"), ("/keys/a.b.example_c.d.pem", "a.b.example c.d"),
            ("2026r.pem", nil), ("example.org_.pem", nil), ("example.org_s.key", nil), ("_s.pem", nil), ("", nil),
        ]
    )
    func names(_ path: String, _ expected: String?) {
        #expect(KeyFile.names(of: path).map { "\($0.domain) \($0.selector)" } == expected)
    }
}
