import DNSResolver
import Glibc
import MailSyntax
import NIOHTTP1
import PosternConfiguration
import PosternSetup
import TestSupport
import Testing

@testable import PosternDaemon

/// What /metrics says, taken apart.
private struct Metrics {
    let text: String
    var lines: [Substring] { text.split(separator: "\n") }

    init(_ parts: Parts) {
        text = parts.router.answerPublic(AdminRequest(.GET, target: "/metrics")).body
    }

    /// The value of a series; nil where it is not there.
    subscript(_ series: String) -> Double? {
        lines.first { $0.hasPrefix(series + " ") }.flatMap { Double($0.dropFirst(series.utf8.count + 1)) }
    }
}

@Suite("Metrics")
struct MetricsTests {
    /// A filter that asks a name server which is not there.
    private static func parts(_ text: String = Sample.reject) throws -> Parts {
        let parts = try Parts("")
        try parts.folder.write("postern.toml", Array("[dns]\nservers = [\"127.0.0.1:9\"]\n\(text)".utf8))
        try parts.reloader.reload()
        return parts
    }

    @Test("every series is there before its first event")
    func zeros() throws {
        let metrics = Metrics(try Self.parts())
        for series in [
            "postern_messages_total{action=\"sign\"}", "postern_messages_total{action=\"quarantine\"}",
            "postern_results_total{check=\"dkim\",result=\"policy\"}",
            "postern_results_total{check=\"spf_helo\",result=\"softfail\"}",
            "postern_rule_matches_total{rule=\"spf-strict\",outcome=\"exempted\"}",
            "postern_undecided_messages_total{action=\"tempfail\"}", "postern_failed_reloads_total",
            "postern_end_of_message_seconds_bucket{le=\"0.001\"}", "postern_end_of_message_seconds_sum",
            "postern_dns_lookup_seconds_bucket{le=\"+Inf\"}", "postern_dns_lookup_seconds_count",
            "postern_dns_server_answers_total{server=\"1\"}", "postern_dns_server_state{server=\"1\",state=\"held\"}",
        ] {
            #expect(metrics[series] == 0, "\(series)")
        }
        #expect(metrics["postern_results_total{check=\"dmarc\",result=\"softfail\"}"] == nil)
    }

    @Test("labels have no domain and no address")
    func labels() async throws {
        let parts = try Self.parts()
        parts.record("4XyZ1", try await Sample.judgement(rules: Sample.reject))
        let metrics = Metrics(parts)
        #expect(metrics["postern_rule_matches_total{rule=\"spf-strict\",outcome=\"acted\"}"] == 1)
        for line in metrics.lines where !line.hasPrefix("#") {
            #expect(!line.contains("example") && !line.contains("192.0.2.") && !line.contains("127.0.0."), "\(line)")
        }
    }

    @Test("a rule of an earlier configuration keeps its series")
    func earlierRules() async throws {
        let parts = try Self.parts("")
        parts.record("4XyZ1", try await Sample.judgement(rules: Sample.reject))
        let metrics = Metrics(parts)
        #expect(metrics["postern_rule_matches_total{rule=\"spf-strict\",outcome=\"acted\"}"] == 1)
    }

    @Test("what a trusted forwarder excuses is counted under its name")
    func excused() async throws {
        let series = "postern_excused_messages_total{forwarder=\"uni\"}"
        let rule = Sample.rule("junk", when: "dmarc = \"fail\"")
        let forwarder = "[[trusted_forwarders]]\nname = \"uni\"\nclients = \"192.0.2.9\"\n"
        let parts = try Self.parts(forwarder + rule)
        #expect(Metrics(parts)[series] == 0)
        parts.record("4XyZ1", try await Sample.judgement(rules: rule))
        #expect(Metrics(parts)[series] == 0)
        parts.record("4XyZ2", try await Sample.judgement(rules: forwarder + rule))
        #expect(Metrics(parts)[series] == 1)
    }

    @Test("a histogram's buckets add up")
    func histogram() {
        let histogram = DurationHistogram()
        for time in [Duration.zero, .milliseconds(1), .microseconds(1_001), .seconds(30), .seconds(31)] {
            histogram.count(time)
        }
        var text = MetricsText()
        text.add("wait_seconds", "Waits.", histogram.values)
        let lines = text.text.split(separator: "\n").map(String.init)
        #expect(
            lines.prefix(4) == [
                "# HELP postern_wait_seconds Waits.", "# TYPE postern_wait_seconds histogram",
                "postern_wait_seconds_bucket{le=\"0.001\"} 2", "postern_wait_seconds_bucket{le=\"0.0025\"} 3",
            ]
        )
        #expect(
            lines.suffix(4) == [
                "postern_wait_seconds_bucket{le=\"30.0\"} 4", "postern_wait_seconds_bucket{le=\"+Inf\"} 5",
                "postern_wait_seconds_sum 61.002001", "postern_wait_seconds_count 5",
            ]
        )
    }

    @Test("the last reload is told: its time, whether it was good, and what is in force")
    func reload() throws {
        let parts = try Self.parts()
        let first = Metrics(parts)
        #expect(first["postern_config_last_reload_successful"] == 1)
        let began = try #require(first["process_start_time_seconds"])
        let configured = try #require(first["postern_config_last_reload_success_timestamp_seconds"])
        #expect(configured >= began && configured <= Double(time(nil)))
        try parts.rewrite("nonsense = 1")
        #expect(throws: ConfigurationError.self) { try parts.reloader.reload() }
        let second = Metrics(parts)
        #expect(second["postern_config_last_reload_successful"] == 0)
        #expect(second["postern_config_hash"] == first["postern_config_hash"])
        try parts.rewrite("")
        try parts.reloader.reload()
        let third = Metrics(parts)
        #expect(third["postern_config_last_reload_successful"] == 1)
        #expect(third["postern_config_hash"] != first["postern_config_hash"])
    }

    @Test("the hash is of the file and of the lists that it names")
    func hash() throws {
        let folder = try Folder()
        let path = try folder.write(
            "postern.toml",
            Array(Sample.rule("reject", when: "from_domains = { file = \"list\" }").utf8)
        )
        func hash(_ list: String) throws -> Int {
            try folder.write("list", Array(list.utf8))
            return try Configuration.load(path: path).contentHash
        }
        let first = try hash("a.example\n")
        #expect(try hash("b.example\n") != first)
        #expect(try hash("a.example\n") == first)
        #expect(first > 0 && first < 1 << 48)
    }

    @Test("the process is told of by the names that client libraries have")
    func process() throws {
        let metrics = Metrics(try Self.parts())
        let open = try #require(metrics["process_open_fds"])
        #expect(open > 2 && open <= metrics["process_max_fds"] ?? 0)
        let resident = try #require(metrics["process_resident_memory_bytes"])
        #expect(resident > 1_048_576 && resident < metrics["process_virtual_memory_bytes"] ?? 0)
        #expect(metrics["process_cpu_seconds_total"] ?? 0 > 0)
        #expect(metrics["postern_build_info{version=\"\(BuildInfo.version)\",commit=\"\(BuildInfo.commit)\"}"] == 1)
    }
}
