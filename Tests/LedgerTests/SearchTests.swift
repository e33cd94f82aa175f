import GRDB
import MailSyntax
import Policy
import TestSupport
import Testing

@testable import Ledger

@Suite("Questions to the ledger")
struct SearchTests {
    /// What a filter finds among the messages of `ledger`, and the index that it goes by.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let index: String
        let found: [String]
        /// Whether an index gives the messages of several values, which then have to be sorted.
        let sorts: Bool
        let set: @Sendable (inout MessageFilter) -> Void

        init(
            _ name: String,
            _ index: String,
            _ found: [String],
            sorts: Bool = false,
            _ set: @escaping @Sendable (inout MessageFilter) -> Void
        ) {
            testDescription = name
            self.index = index
            self.found = found
            self.sorts = sorts
            self.set = set
        }
    }

    static let cases = [
        Case("all", "SCAN m", ["E", "D", "C", "B", "A"]) { _ in },
        Case("since", "USING INTEGER PRIMARY KEY (rowid>?)", ["E", "D"]) { $0.since = noon + 3 },
        Case("until", "USING INTEGER PRIMARY KEY (rowid<?)", ["B", "A"]) { $0.until = noon + 2 },
        Case("queue ID", "message_queue", ["C"]) { $0.queueID = "C" },
        Case("author", "message_author", ["B", "A"]) { $0.author = try? .init("Example.com") },
        Case("author below", "SCAN m", ["C"]) { $0.author = try? .init(".example.com") },
        Case("client", "message_client", ["A"]) { $0.client = IPNetwork("192.0.2.1") },
        Case("network", "message_client", ["B", "A"], sorts: true) { $0.client = IPNetwork("192.0.2.77/24") },
        Case("network of IPv6", "message_client", ["D"], sorts: true) { $0.client = IPNetwork("2001:db8::/32") },
        Case("all of IPv4", "message_client", ["E", "C", "B", "A"], sorts: true) { $0.client = IPNetwork("0.0.0.0/0") },
        Case("client's name", "SCAN m", ["E", "D", "C", "B", "A"]) { $0.clientName = "Mail.example.com" },
        Case("client's names below", "SCAN m", ["E", "D", "C", "B", "A"]) { $0.clientName = ".Example.com" },
        Case("HELO name", "SCAN m", []) { $0.helo = ".mail.example.com" },
        Case("HELO name of an author", "message_author", ["B", "A"]) {
            $0.helo = "mail.example.com"
            $0.author = try? .init("example.com")
        },
        Case("sender", "message_sender", ["B", "A"]) { $0.sender = .init("<A@EXAMPLE.com>") },
        Case("sender's domain", "message_sender", ["C", "B", "A"], sorts: true) { $0.sender = .init("example.com") },
        Case("null sender", "message_sender", ["D"]) { $0.sender = .init("<>") },
        Case("recipient", "recipient_address", ["E", "A"]) { $0.recipient = .init("b@example.net") },
        Case("refused recipient", "recipient_address", ["E"]) { $0.recipient = .init("r@example.net") },
        Case("recipient's domain", "recipient_address", ["E", "A"]) {
            $0.recipient = .init("@example.net")
        },
        Case("rule", "USING PRIMARY KEY (word=?", ["E", "C", "B"]) { $0.rule = "strict" },
        Case("rule that nobody knows", "USING PRIMARY KEY (word=?", []) { $0.rule = "x" },
        Case("result", "USING PRIMARY KEY (word=?", ["E", "B"]) { $0.results = [.init(.dmarc, "fail")] },
        Case("results", "USING PRIMARY KEY (word=?", ["B"]) {
            $0.results = [.init(.dmarc, "fail"), .init(.spf, "softfail")]
        },
        Case("common result", "SCAN m", ["D", "C", "A"]) { $0.results = [.init(.dmarc, "pass")] },
        Case("result without a column", "SCAN m", []) { $0.results = [.init(.arc, "pass")] },
        Case("action", "USING PRIMARY KEY (word=?", ["B"]) { $0.action = "reject" },
        Case("accept", "SCAN m", ["E", "D", "C", "A"]) { $0.action = "accept" },
        Case("would", "USING PRIMARY KEY (word=?", ["C"]) { $0.would = "junk" },
        Case("the rarer index", "message_author", ["B"]) {
            $0.author = try? .init("example.com")
            $0.rule = "strict"
        },
        Case("all together", "message_queue", ["B"]) {
            $0.since = noon
            $0.until = noon + 2
            $0.queueID = "B"
            $0.author = try? .init("example.com")
            $0.client = IPNetwork("192.0.2.0/24")
            $0.sender = .init("a@example.com")
            $0.recipient = .init("c@example.org")
            $0.rule = "strict"
            $0.action = "reject"
            $0.results = [.init(.spf, "softfail")]
        },
    ]

    private static let noon = UnixTime(Int64(SampleEvent.noon))

    private static func ledger() throws -> LedgerFolder {
        let ledger = try LedgerFolder()
        var events = [
            SampleEvent(id: "A"),
            SampleEvent(
                id: "B",
                ip: "192.0.2.200",
                recipients: ["c@example.org"],
                spf: "softfail",
                dmarc: "fail",
                action: "reject",
                rule: "strict"
            ),
            SampleEvent(
                id: "C",
                author: "mail.example.com",
                ip: "198.51.100.1",
                sender: "b@example.com",
                recipients: ["c@example.org"],
                would: ("junk", "strict")
            ),
            SampleEvent(id: "D", author: "example.org", ip: "2001:db8::1", sender: "", recipients: []),
            SampleEvent(
                id: "E",
                author: "example.org",
                ip: "203.0.113.9",
                sender: "a@example.org",
                recipients: ["b@example.net", "d@example.net"],
                refused: ["r@example.net"],
                dmarc: "fail",
                dkimProblem: "body hash differs",
                trial: ["strict"]
            ),
        ]
        for index in events.indices { events[index].time += Double(index) }
        try ledger.write(events.map(\.line))
        try ledger.take()
        return ledger
    }

    @Test("filters", arguments: cases)
    func filters(_ example: Case) throws {
        let ledger = try Self.ledger()
        var filter = MessageFilter()
        example.set(&filter)
        #expect(try ledger.found(filter) == example.found)
        #expect(try ledger.found(filter, limit: 1) == Array(example.found.prefix(1)))
        let plan = try ledger.store.read { database in
            let search = try Search("m.id", filter, .newest, limit: 5, in: database)
            return try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + search.sql, arguments: search.arguments)
                .map { $0["detail"] as String }
        }
        #expect(plan.contains { $0.contains(example.index) }, "\(plan)")
        // One value of an index has its messages in the order of time.
        #expect(plan.contains { $0.contains("TEMP B-TREE") } == example.sorts, "\(plan)")
    }

    @Test("a few messages of a wide range are found in the order of time", arguments: [nil, 5])
    func wideRange(_ limit: Int?) throws {
        let ledger = try Self.ledger()
        var filter = MessageFilter()
        filter.client = IPNetwork("0.0.0.0/0")
        let plan = try ledger.store.read { database in
            let search = try Search("m.id", filter, .newest, limit: limit, probes: 2, in: database)
            return try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + search.sql, arguments: search.arguments)
                .map { $0["detail"] as String }
        }
        #expect(plan.contains { $0.hasPrefix("SCAN m") } == (limit != nil), "\(plan)")
    }

    @Test(
        "counts",
        arguments: [
            (.author, ["example.com 2", "example.org 2", "mail.example.com 1"]),
            (.client, ["192.0.2.1 1", "192.0.2.200 1", "198.51.100.1 1", "2001:db8::1 1", "203.0.113.9 1"]),
            (.clientName, ["mail.example.com 5"]), (.helo, ["mail.example.com 5"]),
            (.sender, ["a@example.com 2", "<> 1", "a@example.org 1", "b@example.com 1"]),
            (.recipient, ["b@example.net 2", "c@example.org 2", "d@example.net 1", "r@example.net 1"]),
            (.action, ["accept 4", "reject 1"]), (.rule, ["strict 3"]), (.problem, ["dkim: body hash differs 1"]),
            (.would, ["junk 1"]), (.day, ["2026-11-27 5"]),
            (.network, ["192.0.2.0/24 2", "198.51.100.0/24 1", "2001:db8::/64 1", "203.0.113.0/24 1"]),
        ] as [(Tally.Subject, [String])]
    )
    func counts(_ subject: Tally.Subject, _ expected: [String]) throws {
        let ledger = try Self.ledger()
        let tally = try ledger.store.tally(subject, MessageFilter(), limit: 10)
        #expect(tally.entries.map { "\($0.value ?? "-") \($0.count)" } == expected)
        #expect(tally.total == (subject == .recipient ? 6 : 5))
    }

    @Test("problems are counted without names, and a message once")
    func problems() throws {
        let ledger = try LedgerFolder()
        let texts = ["no record at a.example.com", "no record at b.example", "no record at b.example", "version 1.2"]
        try ledger.write(texts.map { SampleEvent(dkimProblem: $0).line })
        try ledger.take()
        let tally = try ledger.store.tally(.problem, MessageFilter(), limit: 10)
        #expect(tally.entries.map(\.value) == ["dkim: no record at NAME", "dkim: version 1.2"])
        #expect(tally.entries.map(\.count) == [3, 1])
    }

    @Test("why nothing is found")
    func nothing() throws {
        let ledger = try Self.ledger()
        var filter = MessageFilter()
        filter.rule = "strickt"
        let rules = "no stored message names a rule \"strickt\"; there are strict"
        #expect(try ledger.store.reasonForNothing(filter) == rules)
        filter.rule = "strict"
        #expect(try ledger.store.reasonForNothing(filter) == nil)
        filter.action = "junk"
        #expect(try ledger.store.reasonForNothing(filter) == "the rules only observed: --would junk")
    }

    @Test("counts of some, and the table")
    func table() throws {
        let ledger = try Self.ledger()
        var filter = MessageFilter()
        filter.author = try .init("example.com")
        #expect(
            try ledger.store.tally(.rule, filter, limit: 1).text()
                == "    1  50.0 % ##########           strict\n2 messages\n"
        )
        #expect(
            try ledger.store.tally(.client, MessageFilter(), limit: 1).text()
                == "    1  20.0 % ####                 192.0.2.1\nand 4 more\n5 messages\n"
        )
        filter.author = try .init("example.edu")
        #expect(try ledger.store.tally(.author, filter, limit: 1).text() == "no messages\n")
    }

    @Test("hostile text stays on one line, bounded and printable")
    func hostile() throws {
        let ledger = try LedgerFolder()
        let bad = "\u{1B}[2J\r\n\u{202E}\u{9B}" + String(repeating: "ö", count: 400)
        try ledger.write([
            SampleEvent(
                id: "Q" + bad,
                author: bad,
                name: bad,
                helo: bad,
                sender: bad + "@example.com",
                recipients: [bad, bad],
                dkimProblem: bad,
                action: "reject",
                rule: bad,
                answers:
                    #"[{"name":"\u001b","type":"TXT\r","outcome":"\u0007","ttl":1,"source":"\n","records":["\u001b"]}]"#
            ).line
        ])
        try ledger.take()
        var texts = [String]()
        try ledger.store.summaries(MessageFilter(), limit: nil, hasAnswers: false) { stored in
            let line = HistoryText.line(stored)
            // The queue ID may be longer than its column.
            #expect(line.count <= 81 + 64)
            #expect(line.filter { $0 == "\n" }.count == 1)
            let long = HistoryText.long(stored)
            #expect(long.filter { $0 == "\n" }.count == 1)
            texts += [line, long]
            return true
        }
        try ledger.store.events(MessageFilter(), limit: nil) {
            texts.append(EventStory($0).text)
            return true
        }
        #expect(texts.count == 3)
        for subject in Tally.Subject.allCases {
            let text = try ledger.store.tally(subject, MessageFilter(), limit: 10).text()
            #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
            texts.append(text)
        }
        for text in texts {
            #expect(
                text.unicodeScalars.allSatisfy {
                    $0 == "\n" || ($0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0 != "\u{202E}")
                }
            )
        }
    }

    @Test("facts, the newest first")
    func facts() throws {
        let ledger = try Self.ledger()
        var found = [String]()
        try ledger.store.facts(MessageFilter()) { row in
            #expect(row.facts == [1, 2, 3])
            found.append(row.queueID ?? "-")
            return found.count < 3
        }
        #expect(found == ["E", "D", "C"])
    }
}
