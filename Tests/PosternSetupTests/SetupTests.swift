import DKIM
import MailAuthentication
import MailSyntax
import NIOPosix
import Policy
import PosternConfiguration
import PosternSetup
import TestSupport
import Testing

@Suite("What follows from a configuration")
struct SetupTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    /// The path of a zone file.
    private func zone(_ text: String = "example.com. 300 IN TXT \"v=spf1 -all\"\n") throws -> String {
        try folder.write("zone", Array(text.utf8))
    }

    private func setup(_ configuration: Configuration) throws -> Setup {
        try Setup(
            configuration,
            resolver: ConfiguredResolver(configuration, group: MultiThreadedEventLoopGroup.singleton)
        )
    }

    @Test("a configuration becomes settings")
    func settings() throws {
        let configuration = try Configuration.parse(
            """
            [dns]
            zone = "\(zone())"
            [checks]
            sender_id = { enabled = false }
            dkim = { maximum_signatures = 3 }
            [headers]
            remove_foreign = true
            keep_removed = true
            junk = "X-Junk: 1"
            [trust]
            networks = ["192.0.2.0/24"]
            """,
            file: "postern.toml"
        )
        let setup = try setup(configuration)
        #expect(setup.authentication.checks == [.spf, .dkim, .dmarc, .iprev])
        #expect(setup.authentication.dkim.maximumSignatures == 3)
        let headers = setup.headers(authservID: Octets("mx.example.org"))
        #expect(headers.authservID == Octets("mx.example.org"))
        #expect(headers.removeForeign)
        #expect(headers.keepRemoved)
        #expect(headers.junk == NewField(name: "X-Junk", value: Array("1".utf8)))
        #expect(IPAddress("192.0.2.7").map { setup.trusted.contains($0) } == true)
        #expect(IPAddress("127.0.0.1").map { setup.trusted.contains($0) } == false)
    }

    @Test("a name of our own comes before the MTA's")
    func name() throws {
        let text = "authserv_id = \"own.example\"\n[dns]\nzone = \"\(try zone())\"\n"
        let setup = try setup(Configuration.parse(text, file: "postern.toml"))
        #expect(setup.headers(authservID: Octets("mx.example.org")).authservID == Octets("own.example"))
    }

    @Test("a bad zone file is named")
    func badZone() throws {
        let path = try zone("this is no zone\n")
        var configuration = Configuration()
        configuration.dns.zone = path
        do throws(ConfigurationError) {
            _ = try ConfiguredResolver(configuration, group: MultiThreadedEventLoopGroup.singleton)
            Issue.record("the zone was taken")
        } catch {
            #expect(error.problems.map(\.file) == [path])
            #expect(error.problems.map(\.key) == ["dns.zone"])
        }
    }
}
