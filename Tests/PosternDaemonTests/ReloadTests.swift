import DKIM
import MailAuthentication
import MailCrypto
import MailSyntax
import NIOHTTP1
import NIOPosix
import Policy
import PosternConfiguration
import PosternSetup
import TestSupport
import Testing

@testable import PosternDaemon

@Suite("Configurations in force")
struct ReloadTests {
    @Test("a good file comes in force whole; a broken one leaves the old in force")
    func reload() throws {
        let parts = try Parts(Sample.reject)
        #expect(parts.filter.setup.engine.rules.map(\.name) == ["spf-strict"])

        try parts.rewrite(Sample.rule("junk") + "[why]\nhistory = 1\n")
        #expect(try parts.reloader.reload().isEmpty)
        let second = parts.filter.setup
        #expect(second.engine.rules.map(\.name) == ["r-junk"])

        for broken in [
            "[[rules", "nonsense = 1", Sample.rule("explode"),
            "[[signing]]\ndomain = \"example.org\"\nkeys = [ { selector = \"s\", file = \"/nonexistent/key\" } ]\n",
            "[sealing]\ndomain = \"example.org\"\nselector = \"s\"\nkey = \"/nonexistent/key\"\n",
        ] {
            try parts.rewrite(broken)
            let error = #expect(throws: ConfigurationError.self) { try parts.reloader.reload() }
            #expect(error?.problems.isEmpty == false)
            #expect(error?.problems.allSatisfy { $0.file == parts.loader.path && $0.line > 0 } == true)
            #expect(parts.filter.setup === second)
        }
        let values = parts.filter.counters.values
        #expect(values.reloads == 1)
        #expect(values.failedReloads == 5)
    }

    @Test(
        "a reload tells who asked for it what is lost, and what waits for a restart",
        arguments: [
            ("mode = \"observe\"", "the rules no longer act: mode was \"enforce\" and is \"observe\""),
            ("mode = \"enforce\"", "there are no rules any more: there were 1"),
            ("signing", "nothing is signed any more: there was a [[signing]] table for example.com"),
            ("sealing", "nothing is sealed any more: there was a [sealing] table for example.com"),
            ("[log]\nlevel = \"debug\"", "changed, but in force after a restart only: [log]"),
            ("[admin]\nlisten = \"127.0.0.1:8892\"", "changed, but in force after a restart only: [admin]"),
            ("[[listen]]\nsocket = \"inet:8899@127.0.0.1\"", "changed, but in force after a restart only: [[listen]]"),
            ("[limits]\nmax_packet = \"2MiB\"", "changed, but in force after a restart only: limits.max_packet"),
            ("[limits]\nmax_header = \"2MiB\"", nil),
        ] as [(String, String?)]
    )
    func warnings(_ change: String, _ warning: String?) async throws {
        let folder = try Folder()
        let key = try folder.write("key.pem", PrivateKey.generate(.ed25519, bits: 0).pem())
        let signing = "[[signing]]\ndomain = \"example.com\"\nkeys = [ { selector = \"s\", file = \"\(key)\" } ]\n"
        let rules = Sample.reject
        let sealing = "[sealing]\ndomain = \"example.com\"\nselector = \"s\"\nkey = \"\(key)\"\n"
        let before = change == "sealing" ? rules + signing + sealing : rules + signing
        let parts = try Parts(before, mode: "mode = \"enforce\"")
        switch change {
        case "sealing": try parts.rewrite(rules + signing, mode: "mode = \"enforce\"")
        case "signing": try parts.rewrite(rules, mode: "mode = \"enforce\"")
        case "mode = \"observe\"": try parts.rewrite(rules + signing, mode: change)
        case "mode = \"enforce\"": try parts.rewrite(signing, mode: change)
        default: try parts.rewrite(rules + signing + change, mode: "mode = \"enforce\"")
        }
        let answer = await parts.router.answerControl(AdminRequest(.POST, target: "/reload"))
        #expect(answer.status.code == 200)
        let lines = answer.body.split(separator: "\n")
        #expect(lines.first == "configuration reloaded")
        #expect(
            lines.dropFirst().map { $0.replacing(" (type: systemctl restart postern)", with: "") }
                == [warning].compactMap { $0.map { "warning: " + $0 } }
        )
    }

    @Test(
        "a file that was emptied, or cut off within its comments, is not taken",
        arguments: ["", "# Postern\n", "[[listen]]\n"]
    )
    func emptied(_ text: String) throws {
        let parts = try Parts(Sample.reject)
        let first = parts.filter.setup
        try parts.folder.write("postern.toml", Array(text.utf8))
        #expect(throws: ConfigurationError.self) { try parts.reloader.reload() }
        #expect(parts.filter.setup === first)
    }

    @Test("a message that is under way keeps the configuration it began with")
    func underWay() throws {
        let parts = try Parts(Sample.reject)
        let first = parts.filter.setup
        try parts.rewrite("")
        try parts.reloader.reload()
        #expect(first.engine.rules.map(\.name) == ["spf-strict"])
        #expect(parts.filter.setup.engine.rules.isEmpty)
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
            (.GET, "/why/replay/4XyZ1", 404, 200), (.GET, "/why/", 404, 200), (.GET, "/why?last=0", 404, 400),
            (.GET, "/why?from=&client=x", 404, 400),
            (.GET, "/why/a/b", 404, 400), (.GET, "/why?from=", 404, 404), (.DELETE, "/why/4XyZ1", 405, 405),
        ] as [(HTTPMethod, String, UInt, UInt)]
    )
    func statuses(_ method: HTTPMethod, _ path: String, _ inPublic: UInt, _ inControl: UInt) async throws {
        let parts = try Parts(Sample.reject)
        parts.record("4XyZ1", try await Sample.judgement(rules: Sample.reject))
        let request = AdminRequest(method, target: path)
        #expect(parts.router.answerPublic(request).status.code == inPublic)
        #expect(await parts.router.answerControl(request).status.code == inControl)
    }

    @Test("a reload that fails says why, and that the old configuration stays")
    func reload() async throws {
        let parts = try Parts("")
        try parts.rewrite("nonsense = 1")
        let response = await parts.router.answerControl(AdminRequest(.POST, target: "/reload"))
        #expect(response.status == .badRequest)
        #expect(response.body.hasPrefix("\(parts.loader.path):3:"))
        #expect(response.body.hasSuffix("The old configuration stays in force.\n"))
    }

    @Test("metrics and status tell what was done")
    func numbers() async throws {
        let parts = try Parts(Sample.reject)
        parts.record("4XyZ1", try await Sample.judgement(rules: Sample.reject))
        let metrics = parts.router.answerPublic(AdminRequest(.GET, target: "/metrics"))
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
            let name = String(line.prefix { $0 != "{" && $0 != " " })
            let family = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) }.map { name.dropLast($0.count) }
            #expect(types.contains(name) || types.contains(String(family ?? "")), "\(line)")
        }
        let status = await parts.router.answerControl(AdminRequest(.GET, target: "/status")).body
        #expect(status.contains("messages        reject 1\n"))
        #expect(status.contains("remembered      1 verdict for postern why\n"))
        #expect(status.contains("mode            observe, 1 rule\n"))
        #expect(status.contains("rules           what came of each since the start\n  spf-strict    reject: acted 1\n"))
        #expect(status.contains(" (auto)\nmode "))
        let json = await parts.router.answerControl(AdminRequest(.GET, target: "/status?format=json")).body
        #expect(json.contains("\"messages\":{\"reject\":1}") && json.contains("\"rules\":1,"))
    }

    @Test("why tells the story of a message, and what the present rules would do")
    func why() async throws {
        let parts = try Parts("")
        parts.record("4XyZ1", try await Sample.judgement(rules: Sample.reject))
        let story = await parts.router.answerControl(AdminRequest(.GET, target: "/why/4XyZ1")).body
        #expect(story.hasPrefix("Message 4XyZ1, judged at 20"))
        #expect(story.contains("verdict      reject by rule \"spf-strict\""))
        let again = await parts.router.answerControl(AdminRequest(.GET, target: "/why/replay/4XyZ1")).body
        #expect(again.hasPrefix("Message 4XyZ1, judged again by the present configuration\n"))
        #expect(again.contains("verdict      accept, no rule decided"))
        #expect(again.contains("spf          fail"))
        let unknown = await parts.router.answerControl(AdminRequest(.GET, target: "/why/none")).body
        #expect(unknown.hasPrefix("no message none is remembered; "))
    }

    @Test(
        "times are written as RFC 3339 has them",
        arguments: [(0, "1970-01-01T00:00:00Z"), (1_700_000_000, "2023-11-14T22:13:20Z")] as [(UnixTime, String)]
    )
    func times(_ time: UnixTime, _ text: String) {
        #expect(UTCTime(time).description == text)
    }
}
