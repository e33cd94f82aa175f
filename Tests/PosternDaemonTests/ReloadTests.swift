import DKIM
import MailAuthentication
import MailSyntax
import NIOHTTP1
import NIOPosix
import Policy
import PosternConfiguration
import Testing

@testable import PosternDaemon

@Suite("Configurations in force")
struct ReloadTests {
    @Test("a configuration becomes settings")
    func settings() throws {
        let parts = try Parts(
            """
            [checks]
            sender_id = { enabled = false }
            dkim = { maximum_signatures = 3 }
            [headers]
            remove_foreign = true
            keep_removed = true
            junk = "X-Junk: 1"
            [trust]
            networks = ["192.0.2.0/24"]
            """
        )
        let snapshot = parts.filter.snapshot
        #expect(snapshot.authentication.checks == [.spf, .dkim, .dmarc, .iprev])
        #expect(snapshot.authentication.dkim.maximumSignatures == 3)
        let headers = snapshot.headers(authservID: Octets("mx.example.org"))
        #expect(headers.authservID == Octets("mx.example.org"))
        #expect(headers.removal == .all)
        #expect(headers.keepsRemoved)
        #expect(headers.junk == NewField(name: "X-Junk", value: Array("1".utf8)))
        #expect(IPAddress("192.0.2.7").map { snapshot.trusted.contains($0) } == true)
        #expect(IPAddress("127.0.0.1").map { snapshot.trusted.contains($0) } == false)
    }

    @Test("a name of our own comes before the MTA's")
    func name() throws {
        let folder = try Folder()
        let path = try folder.write("zone", Array(Sample.zoneText.utf8))
        let text = "authserv_id = \"own.example\"\n[dns]\nzone = \"\(path)\"\n"
        let configuration = try Configuration.parse(text, file: "postern.toml")
        let lookups = try Lookups(configuration.dns, group: MultiThreadedEventLoopGroup.singleton)
        let snapshot = try Snapshot(configuration, lookups: lookups)
        #expect(snapshot.headers(authservID: Octets("mx.example.org")).authservID == Octets("own.example"))
    }

    @Test("a bad zone file is named")
    func zone() throws {
        let folder = try Folder()
        let path = try folder.write("zone", Array("this is no zone\n".utf8))
        var dns = Configuration().dns
        dns.zone = path
        do throws(ConfigurationError) {
            _ = try Lookups(dns, group: MultiThreadedEventLoopGroup.singleton)
            Issue.record("the zone was taken")
        } catch {
            #expect(error.problems.map(\.file) == [path])
            #expect(error.problems.map(\.key) == ["dns.zone"])
        }
    }

    @Test("a good file comes in force whole; a broken one leaves the old in force")
    func reload() throws {
        let parts = try Parts(Sample.reject)
        #expect(parts.filter.snapshot.engine.rules.map(\.name) == ["spf-strict"])

        try parts.rewrite(Sample.rule("junk") + "[why]\nhistory = 1\n")
        #expect(parts.reloader.reload() == nil)
        let second = parts.filter.snapshot
        #expect(second.engine.rules.map(\.name) == ["r-junk"])

        for broken in [
            "[[rules", "nonsense = 1", Sample.rule("explode"),
            "[[signing]]\ndomain = \"example.org\"\nkeys = [ { selector = \"s\", file = \"/nonexistent/key\" } ]\n",
        ] {
            try parts.rewrite(broken)
            let error = parts.reloader.reload()
            #expect(error?.problems.isEmpty == false)
            #expect(error?.problems.allSatisfy { $0.file == parts.loader.path && $0.line > 0 } == true)
            #expect(parts.filter.snapshot === second)
        }
        let values = parts.filter.counters.values
        #expect(values.reloads == 1)
        #expect(values.failedReloads == 4)
    }

    @Test("a message that is under way keeps the configuration it began with")
    func snapshots() throws {
        let parts = try Parts(Sample.reject)
        let first = parts.filter.snapshot
        try parts.rewrite("")
        #expect(parts.reloader.reload() == nil)
        #expect(first.engine.rules.map(\.name) == ["spf-strict"])
        #expect(parts.filter.snapshot.engine.rules.isEmpty)
    }
}

@Suite("Administration")
struct AdminTests {
    @Test(
        "what anybody may ask, and what the control socket answers besides",
        arguments: [
            // method, path, status in public, status on the control socket
            (.GET, "/healthz", 200, 200), (.HEAD, "/healthz", 200, 200), (.POST, "/healthz", 405, 405),
            (.GET, "/readyz", 503, 503), (.GET, "/metrics", 200, 200), (.GET, "/", 404, 404),
            (.GET, "/status", 404, 200), (.POST, "/status", 405, 405), (.GET, "/reload", 404, 404),
            (.POST, "/reload", 405, 200), (.GET, "/why/4XyZ1", 404, 200), (.GET, "/why/none", 404, 404),
            (.GET, "/why/replay/4XyZ1", 404, 200), (.GET, "/why/", 404, 404), (.DELETE, "/why/4XyZ1", 405, 405),
        ] as [(HTTPMethod, String, UInt, UInt)]
    )
    func statuses(_ method: HTTPMethod, _ path: String, _ inPublic: UInt, _ inControl: UInt) async throws {
        let parts = try Parts(Sample.reject)
        parts.record("4XyZ1", try await Sample.judgement(rules: Sample.reject))
        let request = AdminRequest(method: method, path: path)
        #expect(parts.router.answerPublic(request).status.code == inPublic)
        #expect(await parts.router.answerControl(request).status.code == inControl)
    }

    @Test("a reload that fails says why, and that the old configuration stays")
    func reload() async throws {
        let parts = try Parts("")
        try parts.rewrite("nonsense = 1")
        let response = await parts.router.answerControl(AdminRequest(method: .POST, path: "/reload"))
        #expect(response.status == .badRequest)
        #expect(response.body.hasPrefix("\(parts.loader.path):3:"))
        #expect(response.body.hasSuffix("The old configuration stays in force.\n"))
    }

    @Test("metrics and status tell what was done")
    func numbers() async throws {
        let parts = try Parts(Sample.reject)
        parts.record("4XyZ1", try await Sample.judgement(rules: Sample.reject))
        let metrics = parts.router.answerPublic(AdminRequest(method: .GET, path: "/metrics"))
        #expect(metrics.contentType == "text/plain; version=0.0.4; charset=utf-8")
        let lines = metrics.body.split(separator: "\n")
        for line in [
            "postern_messages_total{action=\"reject\"} 1", "postern_results_total{check=\"spf\",result=\"fail\"} 1",
            "postern_rule_matches_total{rule=\"spf-strict\",outcome=\"acted\"} 1", "postern_reloads_total 0",
        ] {
            #expect(lines.contains { $0 == line }, "\(line)")
        }
        // Every metric is described before it is given, and none twice.
        let types = lines.filter { $0.hasPrefix("# TYPE ") }.map { String($0.split(separator: " ")[2]) }
        #expect(Set(types).count == types.count)
        for line in lines where !line.hasPrefix("#") {
            #expect(types.contains(String(line.prefix { $0 != "{" && $0 != " " })), "\(line)")
        }
        let status = await parts.router.answerControl(AdminRequest(method: .GET, path: "/status")).body
        #expect(status.contains("messages        reject 1\n"))
        #expect(status.contains("remembered      1 verdicts for postern why\n"))
        #expect(status.contains("mode            observe, 1 rules\n"))
    }

    @Test("why tells the story of a message, and what the present rules would do")
    func why() async throws {
        let parts = try Parts("")
        parts.record("4XyZ1", try await Sample.judgement(rules: Sample.reject))
        let story = await parts.router.answerControl(AdminRequest(method: .GET, path: "/why/4XyZ1")).body
        #expect(story.hasPrefix("Message 4XyZ1, judged at 20"))
        #expect(story.contains("verdict      reject by rule \"spf-strict\""))
        let again = await parts.router.answerControl(AdminRequest(method: .GET, path: "/why/replay/4XyZ1")).body
        #expect(again.hasPrefix("Message 4XyZ1, judged again by the present configuration\n"))
        #expect(again.contains("verdict      accept, no rule decided"))
        #expect(again.contains("spf          fail"))
        let unknown = await parts.router.answerControl(AdminRequest(method: .GET, path: "/why/none")).body
        #expect(unknown.hasPrefix("nothing is remembered of none: "))
    }

    @Test(
        "times are written as RFC 3339 has them",
        arguments: [(0, "1970-01-01T00:00:00Z"), (1_700_000_000, "2023-11-14T22:13:20Z")] as [(Int64, String)]
    )
    func times(_ seconds: Int64, _ text: String) {
        #expect(UTCTime(seconds).description == text)
    }
}
