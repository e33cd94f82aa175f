import DNSResolver
import FoundationEssentials
import MailAuthentication
import MailSyntax
import Policy
import PosternConfiguration
import TOML
import TestSupport
import Testing

@Suite("Reading")
struct ReadingTests {
    /// Every setting with a value that is not its default, as `show` writes it.
    private static let everything = """
        authserv_id = "mx.example.org"
        mode = "enforce"
        mixed = "accept"

        [[listen]]
        socket = "unix:/run/a.sock"
        mode = "0600"
        group = "postfix"
        role = "inbound"
        max_connections = 7

        [[listen]]
        socket = "inet6:8891@::1"
        mode = "0660"
        role = "outbound"
        max_connections = 1000

        [trust]
        networks = ["192.0.2.0/24"]
        skip = ["198.51.100.25"]
        authenticated = false

        [trust.relays]
        networks = ["198.51.100.26"]
        by = ["mx2.example.org"]
        results = "gateway.example.org"
        refuse = true

        [dns]
        servers = ["192.0.2.53:53", "[2001:db8::1]:5353"]
        timeout = "30s"
        attempt_timeout = "400ms"
        attempts = 3
        max_in_flight = 5

        [dns.cache]
        max_entries = 10
        max_bytes = "1MiB"
        min_ttl = "5s"
        max_ttl = "2h"
        negative_max_ttl = "90s"
        key_max_ttl = "10m"
        serve_stale = "1d"
        refresh_ahead = false
        snapshot = "/var/lib/postern/cache"

        [checks]
        early_wait = "0s"

        [checks.spf]
        enabled = true
        void_lookups = 3
        maximum_queries = 50

        [checks.sender_id]
        enabled = false

        [checks.dkim]
        enabled = true
        maximum_signatures = 4
        minimum_bits = 2048
        maximum_bits = 8192
        clock_skew = "1m"
        unsigned_body = "pass"

        [checks.dmarc]
        enabled = true
        organizational_domain = "walk+list"

        [checks.arc]
        enabled = true

        [checks.iprev]
        enabled = false

        [headers]
        authentication_results = false
        received_spf = true
        sender_id = false
        dkim = false
        auth_result = true
        remove_forged = true
        remove_foreign = true
        keep_removed = true
        junk = "X-Junk: maybe: yes"

        [[rules]]
        name = "a"
        when = { spf = ["fail", "!pass"], clients = "192.0.2.0/24", from_count = ">1", authenticated = false }
        unless = [{ helo = "a.example" }, { recipients = ["postmaster@", "!b@example.org"] }]
        action = "reject"
        reply = "550 5.7.1 \\"No\\""
        observe = true

        [[rules]]
        name = "b"
        when = {}
        action = "junk"
        observe = false

        [[trusted_forwarders]]
        name = "f"
        clients = "192.0.2.0/24"
        names = [".uni.example", "mx.alumni.example"]
        sealers = "uni.example"
        recipients = "a.example"

        [[signing]]
        domain = "example.org"
        subdomains = true
        keys = [{ selector = "a", file = "/k/a.pem" }, { selector = "b.c", file = "/k/b.pem" }]
        canonicalization = "simple/relaxed"
        headers = ["From", "To"]
        oversign = ["From"]
        lifetime = "14d"
        identity = "@news.example.org"
        logins = ["alice"]

        [log]
        destination = "both"
        facility = "local3"
        format = "json"
        level = "debug"
        socket = "/run/log"

        [admin]
        listen = "[::1]:8892"
        control = "/run/c.sock"

        [limits]
        timeout = "1m"
        undecided = "accept"
        idle_timeout = "2h"
        drain_timeout = "0s"
        max_packet = "2MiB"
        max_header = "64KiB"
        max_held = "64MiB"

        [why]
        history = 0

        [events]
        spool = "/srv/spool"
        host = "mx1"
        addresses = "domains"
        answers = "all"
        limit = "64MiB"

        [ledger]
        store = "/srv/ledger.sqlite"
        keep = "7d"
        keep_answers = "36h"
        max_bytes = "512MiB"

        [reports]
        organization = "Müller & Söhne"
        address = "dmarc-reports@xn--bcher-kva.example"
        smtp = "[::1]:2525"
        window = "01:05-24:00"
        rate = 600
        exclude = ["example.com", "example.net"]
        per_day = 100000
        per_host = 1

        """

    @Test("every setting is read, and written as it was")
    func roundTrip() throws {
        #expect(try Configuration.parse(Self.everything, file: "p.toml").text == Self.everything)
    }

    @Test("typed values arrive")
    func values() throws {
        let configuration = try Configuration.parse(Self.everything, file: "/etc/postern/p.toml")
        #expect(
            configuration.listen.map(\.socket) == [
                .unix("/run/a.sock"), .inet(try #require(IPAddress("::1")), port: 8891),
            ]
        )
        #expect(configuration.listen.first?.mode == 0o600)
        #expect(configuration.dns.options.timeout == .seconds(30))
        #expect(configuration.dns.options.attemptTimeout == .milliseconds(400))
        #expect(configuration.dns.cache.options.maximumBytes == 1_048_576)
        #expect(configuration.headers.junk == NewField(name: "X-Junk", value: Array("maybe: yes".utf8)))
        #expect(configuration.rules.rules.map(\.location.line) == [87, 95])
        #expect(configuration.rules.rules.first?.unless.count == 2)
        #expect(configuration.signing.first?.location == PolicyLocation(file: "/etc/postern/p.toml", line: 108))
    }

    @Test(
        "the hours of reports",
        arguments: [
            ("00:30-08:00", 30, 480), ("00:00-24:00", 0, 1440), ("22:59-23:59", 1379, 1439),
        ]
    )
    func window(_ text: String, _ start: Int, _ end: Int) throws {
        let window = try #require(ReportWindow(text))
        #expect(window.start == start && window.end == end && "\(window)" == text)
        let day: Int64 = 20_000 * 86_400
        #expect(window.contains(day + Int64(start) * 60) && window.contains(day + Int64(end) * 60 - 1))
        #expect(start == 0 || !window.contains(day + Int64(start) * 60 - 1))
        #expect(end == 1440 || !window.contains(day + Int64(end) * 60))
    }

    @Test(
        "what are no hours of reports",
        arguments: [
            "", "-", "00:30", "08:00-00:30", "00:30-01:29", "00:30-24:01", "0:30-8:00", "00:60-08:00", "+0:30-08:00",
            "00:30-08:00-09:00", "22:00-02:00", "00:30-٠8:00",
        ]
    )
    func noWindow(_ text: String) {
        #expect(ReportWindow(text) == nil)
    }

    @Test("reports go to nobody in the list, nor below")
    func excluded() throws {
        let reports = try Configuration.parse(Self.everything, file: "p.toml").reports
        #expect(reports.isOn)
        #expect(try reports.domain == DomainName("xn--bcher-kva.example"))
        for (name, isExcluded) in [("example.com", true), ("a.b.example.NET", true), ("example.org", false)] {
            #expect(reports.excludes(try DomainName(name)) == isExcluded, "\(name)")
        }
        #expect(try !Configuration.parse("reports.exclude = []", file: "p").reports.isOn)
    }

    @Test("a check is switched by a word or by a table")
    func checks() throws {
        #expect(try !Configuration.parse("checks.spf = false", file: "p").checks.spf.enabled)
        #expect(try !Configuration.parse("checks = { dkim = { enabled = false } }", file: "p").checks.dkim.enabled)
        #expect(try Configuration.parse("[checks]\niprev = true", file: "p").checks.iprev.enabled)
    }

    @Test("lists are read from files beside the configuration, with comments, any line ends and U-labels")
    func lists() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/postern-lists-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let list = "\u{FEFF}# first\r\nexample.org\r\n\r\n  .example.net  # below\r\nb\u{FC}cher.example\n"
        try list.write(toFile: folder + "/list", atomically: true, encoding: .utf8)
        let text =
            "[[rules]]\nname = 'r'\nwhen = { from_domains = ['a.example', { file = 'list' }] }\naction = 'junk'\n"
        try text.write(toFile: folder + "/postern.toml", atomically: true, encoding: .utf8)
        let engine = PolicyEngine(rules: try Configuration.load(path: folder + "/postern.toml").rules, mode: .enforce)
        for (name, isListed) in [
            ("a.example", true), ("example.org", true), ("x.example.net", true), ("example.net", false),
            ("xn--bcher-kva.example", true), ("b.example", false),
        ] {
            var facts = PolicyFacts()
            facts.fromDomains = [try DomainName(name)]
            #expect((engine.judge(facts, RecipientKinds()).action == .junk) == isListed, "\(name)")
        }
    }

    @Test("a file that cannot be read is a problem of its own", arguments: ["/nonexistent/postern.toml", "/"])
    func unreadable(_ path: String) {
        #expect(throws: ConfigurationError.self) { try Configuration.load(path: path) }
    }

    @Test(
        "on trial, another filter's results are not to be under our name",
        arguments: [
            ("", "this host's name"), ("authserv_id = \"mx.example.org\"", "\"mx.example.org\""),
            ("mode = \"enforce\"", nil), ("[headers]\nremove_forged = false", nil),
        ] as [(String, String?)]
    )
    func trial(_ text: String, _ name: String?) throws {
        let notes = try Configuration.parse(text, file: "postern.toml").notes
        #expect(notes.count == (name == nil ? 0 : 1))
        if let name { #expect(notes[0].hasPrefix("Authentication-Results that come with \(name) are removed")) }
    }

    @Test("a zone file is noted, and a list that names nobody")
    func notes() throws {
        let folder = try Folder()
        try folder.write("nobody", Array("# nobody yet\n\n".utf8))
        let path = try folder.write(
            "postern.toml",
            Array(
                """
                mode = "enforce"
                [dns]
                zone = "test.zone"
                [[rules]]
                name = "r"
                when = { from_domains = { file = "nobody" }, sender_domains = [ { file = "nobody" }, "a.example" ] }
                action = "junk"
                """.utf8
            )
        )
        let configuration = try Configuration.load(path: path)
        #expect(
            configuration.notes == [
                "the list \(folder.file("nobody")) names nobody yet: conditions with it alone never hold",
                "answers come from the file \(folder.file("test.zone")), none from the DNS (dns.zone)",
            ]
        )
        #expect(configuration.warnings.isEmpty, "the zone file may have the names of documents")
    }

    @Test("no text makes the reader trap")
    func hostile() {
        let deepKey = String(repeating: "a.", count: 5000) + "a = 1"
        let deepHeader = "[" + String(repeating: "a.", count: 5000) + "a]"
        let texts = [
            deepKey, deepHeader, deepHeader + "\n" + deepKey, "a = " + String(repeating: "{ a = ", count: 5000),
            "a = " + String(repeating: "[", count: 100_000), "\u{0}", "a = \"\\u0000\"", "\"\" = 1", "= 1", "[[rules]]",
            "[[rules]]\nwhen.spf.a.b = 1", "mode = 1979-05-27T07:32:00Z", "mode = nan", "dns = 9223372036854775807",
            "dns.attempts = 9223372036854775808", "rules = 1", "rules = [1, 2]", "listen = [[]]",
            "signing = [{}]", "dns.timeout = \"99999999999999999999s\"", "dns.timeout = \"9223372036854775807d\"",
            "dns.cache.max_bytes = \"9223372036854775807GiB\"", "dns.timeout = \"-1s\"", "dns.timeout = \"\u{661}s\"",
            "listen = [{ socket = \"inet:99999@::1\" }]", "listen = [{ mode = \"0999\" }]",
            "rules = [{ name = \"r\", when = { from_count = \">99999999999999999999\" }, action = \"mark\" }]",
        ]
        for text in texts {
            #expect(throws: ConfigurationError.self, "\(text.prefix(60))") {
                _ = try Configuration.parse(text, file: "p.toml")
            }
        }
    }

    @Test("damaged configurations are refused or read, never a trap")
    func damaged() {
        var random = SystemRandomNumberGenerator()
        let octets = Array(Self.everything.utf8)
        for _ in 0..<500 {
            var damaged = octets
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = damaged.indices.randomElement(using: &random) ?? 0
                switch Int.random(in: 0...2, using: &random) {
                case 0: damaged[index] = UInt8.random(in: 0...255, using: &random)
                case 1: damaged.remove(at: index)
                default: damaged.insert(Array("[]{}\"=.!,\n0".utf8).randomElement(using: &random) ?? 0, at: index)
                }
            }
            let text = String(decoding: damaged, as: UTF8.self)
            do {
                _ = try Configuration.parse(text, file: "p.toml").warnings
            } catch {
                #expect(!error.problems.isEmpty)
            }
        }
    }
}
