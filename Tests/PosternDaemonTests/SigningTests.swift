import MailAuthentication
import MailCrypto
import MailSyntax
import PosternConfiguration
import PosternSetup
import TestSupport
import Testing

@testable import PosternDaemon

@Suite("What is signed")
struct SigningTests {
    /// A table with a key in a file.
    private func table(_ folder: Folder, _ more: String...) throws -> SigningTable {
        let key = try PrivateKey.generate(.ed25519, bits: 0)
        let path = try folder.write("key.pem", try key.pem())
        let keys = "keys = [ { selector = \"s\", file = \"\(path)\" } ]"
        let text = more.map { "[[signing]]\n\($0)\n\(keys)\n" }.joined()
        return try SigningTable(Configuration.parse(text, file: "postern.toml").signing)
    }

    /// `d=` of the signature, or why there is none; nil where nothing is signed.
    private func outcome(
        _ table: SigningTable,
        from fields: [String],
        login: String?,
        stamps: [String] = []
    ) throws -> String? {
        var headers = HeaderBlock()
        for field in stamps { headers.append(name: "Authentication-Results".utf8, value: " \(field)".utf8) }
        for field in fields { headers.append(name: "From".utf8, value: " \(field)".utf8) }
        let settings = login == nil ? HeaderSettings(authservID: Octets("mx.example.org")) : nil
        let message = table.begin(
            headers,
            login: login.map { Array($0.utf8) },
            stamps: settings,
            now: 1_700_000_000
        )
        guard var message else { return nil }
        let outcome = message.finish()
        #expect(outcome.keys.count == outcome.signatures.count)
        return outcome.problem ?? outcome.keys.joined(separator: ",")
    }

    @Test(
        "RFC 6376 § 5.1: a domain signs what it is right to sign",
        arguments: [
            (["a@example.org"], nil, "example.org/s"), (["A <a@EXAMPLE.org>"], "x", "example.org/s"),
            (["a@sub.example.org"], nil, "no [[signing]] table is for sub.example.org"),
            (["a@badexample.org"], nil, "no [[signing]] table is for badexample.org"),
            (["a@example.net"], nil, "example.net/s"), (["a@sub.example.net"], nil, "example.net/s"),
            (["a@a.b.example.net"], nil, "example.net/s"), (["a@own.example.net"], nil, "own.example.net/s"),
            (["a@example.com"], nil, "no [[signing]] table is for example.com"),
            (["a@example.org, b@example.org"], nil, "From does not name one author"),
            (["a@example.org", "a@example.org"], nil, "From does not name one author"),
            ([], nil, "From does not name one author"), (["nonsense"], nil, "From does not name one author"),
            // logins = [...]
            (["a@login.example"], "ann", "login.example/s"),
            (["a@login.example"], "eve", "login eve does not own login.example"),
            (["a@login.example"], nil, "a client without login does not own login.example"),
        ] as [([String], String?, String)]
    )
    func decides(_ fields: [String], _ login: String?, _ expected: String) throws {
        let folder = try Folder()
        let table = try table(
            folder,
            "domain = \"example.org\"",
            "domain = \"example.net\"\nsubdomains = true",
            "domain = \"own.example.net\"",
            "domain = \"login.example\"\nlogins = [\"ann\", \"bob\"]"
        )
        #expect(try outcome(table, from: fields, login: login) == expected)
    }

    @Test(
        "what we have judged came from outside, whoever brings it back",
        arguments: [
            ("mx.example.org; dmarc=fail header.from=example.org", nil, false),
            ("mx.example.org; dmarc=pass header.from=example.org", nil, false),
            ("mx.example.org; spf=pass smtp.mailfrom=a@example.org", nil, false), ("mx.example.org; none", nil, false),
            ("mx.example.org spf", nil, false),
            // A list that has written itself into From is another author than the one who was judged.
            ("mx.example.org; dmarc=pass header.from=author.example", nil, true),
            ("other.example; dmarc=fail header.from=example.org", nil, true),
            // Whoever has a login may write what he likes, and loses it.
            ("mx.example.org; dmarc=fail header.from=example.org", "ann", true),
        ] as [(String, String?, Bool)]
    )
    func returned(_ stamp: String, _ login: String?, _ isSigned: Bool) throws {
        let folder = try Folder()
        let table = try table(folder, "domain = \"example.org\"")
        let outcome = try outcome(table, from: ["a@example.org"], login: login, stamps: [stamp])
        #expect(
            outcome == (isSigned ? "example.org/s" : "Authentication-Results of ours say that it came from outside")
        )
    }

    @Test("without [[signing]] nothing is signed and nothing is said")
    func empty() throws {
        let table = try SigningTable([])
        #expect(try outcome(table, from: ["a@example.org", "b@example.org"], login: nil) == nil)
    }
}
