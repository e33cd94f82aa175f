import AggregateReports
import GRDB
import MailSyntax
import TestSupport
import Testing

@testable import Ledger

@Suite("Damaged reports")
struct ReportDamageTests {
    /// Every column of the tables for reports.
    private static let columns: [(table: String, column: String)] = {
        let database = try? DatabaseQueue()
        let columns = try? database?.write { database in
            for statements in Schema.migrations { try database.execute(sql: statements) }
            let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'report%'"
            return try String.fetchAll(database, sql: tables).flatMap { table in
                try database.columns(in: table).map { (table: table, column: $0.name) }
            }
            // A host of another name is another host.
            .filter { $0 != ("report_host", "host") }
        }
        return columns ?? []
    }()

    /// What a column is damaged to, and whether the reports have been planned then.
    private static let values = [
        ("'x'", false), ("x'ff'", true), ("-9223372036854775808", true), ("9223372036854775807", false),
    ]

    /// The events of a report that stays whole, and of one that is damaged.
    private static let events = [
        ReportFolder.event { $0.policyDomain = "whole.example" },
        ReportFolder.event {
            $0.policyDomain = "damaged.example"
            $0.rua = ["mailto:r@damaged.example"]
        },
    ]

    /// Damages a column of the rows that belong to the second report, or of all.
    private static func damage(_ folder: ReportFolder, _ table: String, _ column: String, _ value: String) throws {
        let damaged = "(SELECT id FROM report WHERE domain = 'damaged.example')"
        let rows =
            switch table {
            case "report": "domain = 'damaged.example'"
            case "report_row", "report_delivery": "report IN \(damaged)"
            case "report_gate": "domain = 'damaged.example'"
            default: "1"
            }
        // What the database itself does not allow cannot come about so.
        try? folder.store.write { try $0.execute(sql: "UPDATE \(table) SET \(column) = \(value) WHERE \(rows)") }
    }

    private static func work(_ folder: ReportFolder) async throws {
        let sender = try folder.sender()
        for _ in 0..<10 {
            if case .idle = try await sender.turn() { break }
        }
        for id in try folder.store.openDeliveries(ReportFilter()) { _ = try await sender.send(id) }
        _ = try folder.store.reportStatus(folder.settings, now: folder.now).text
        _ = try folder.reports(ReportFilter()).map {
            ReportText.story($0, lastPass: nil) + ReportText.lines($0, isCut: true)
        }
        _ = try folder.store.lastPass(of: DomainName("damaged.example"))
        _ = try folder.store.suppressions(at: folder.now).map { ReportText.line($0) }
        _ = try folder.store.check()
        try folder.store.documents(ReportFilter(), folder.settings) { _ in }
        for file in try folder.store.files(ReportFilter(), folder.settings) { _ = try folder.store.octets(of: file) }
        try folder.store.forgetReports(of: DomainName("other.example"))
        try Retention(folder.store, keep: .seconds(30 * 86_400), keepAnswers: .zero).apply(now: folder.now)
    }

    @Test("whatever is damaged, and when, the other report goes, and nothing else stops", arguments: columns, values)
    func everyColumn(_ place: (table: String, column: String), _ damage: (value: String, isLate: Bool)) async throws {
        let folder = try ReportFolder()
        try folder.store.write { try $0.suppress(refusing: "refusing.example@r", "550 no", now: folder.now) }
        try folder.take(Self.events)
        if damage.isLate { try folder.closeDay() }
        try Self.damage(folder, place.table, place.column, damage.value)
        if !damage.isLate {
            try folder.take(Self.events)
            try folder.closeDay()
        }
        try await Self.work(folder)
        let recipients = folder.sent.map(\.recipient)
        #expect(recipients.contains("r@example.com"))
        #expect(recipients.count <= 2)
    }

    @Test("a damaged policy is set aside, said and counted")
    func policy() throws {
        let folder = try ReportFolder()
        try folder.take(Self.events)
        try Self.damage(folder, "report", "policy", "zeroblob(length(policy))")
        try folder.closeDay()
        let reports = try folder.reports()
        #expect(reports.map(\.state) == ["damaged", "made"])
        #expect(try folder.store.reportStatus(folder.settings, now: folder.now).reports == ["damaged": 1, "made": 1])
        #expect(try folder.store.check().contains("reports that cannot be read: 1"))
        let status = try folder.store.status(spool: folder.ledger.spool, maximumOctets: 1 << 30, now: folder.now)
        let troubles = status.troubles.map(\.text)
        #expect(troubles.contains { $0.hasPrefix("a report does not go: the store is damaged: the policy") })
    }

    @Test("a report goes without its damaged rows, says so, and is the same when it goes again")
    func rows() async throws {
        let folder = try ReportFolder()
        try folder.take((0..<3).map { number in ReportFolder.event { $0.ip = "192.0.2.\(number)" } })
        try folder.closeDay()
        try folder.store.write {
            try $0.execute(
                sql: "UPDATE report_row SET record = x'0102' WHERE hash = (SELECT min(hash) FROM report_row)"
            )
        }
        var text = ""
        try folder.store.documents(ReportFilter(), folder.settings) { text += String(decoding: $0, as: UTF8.self) }
        #expect(
            text.contains("1 row cannot be told, because of a damage") && text.split(separator: "<record>").count == 3
        )
        folder.answer(.deferred("450 later"))
        _ = try await folder.sender().turn()
        folder.now = folder.now + 3600
        folder.answer(.accepted("250"))
        _ = try await folder.sender().turn()
        #expect(folder.sent.count == 2 && folder.sent[0].message == folder.sent[1].message)
        let status = try folder.store.status(spool: folder.ledger.spool, maximumOctets: 1 << 30, now: folder.now)
        #expect(status.troubles.map(\.text) == ["1 row of the report on example.com of 2026-11-27 cannot be read"])
    }

    @Test("in want of room, rows of the oldest days go first, messages of a dropped report still count, and mail stays")
    func room() throws {
        let folder = try ReportFolder()
        let filler = String(repeating: "x", count: 200)
        func events(_ domain: String, _ count: Int, day: Int) -> [SampleEvent] {
            (0..<count).map { number in
                ReportFolder.event {
                    $0.policyDomain = domain
                    $0.time += Double(day) * 86_400
                    $0.signer = "\(number).\(filler)"
                }
            }
        }
        try folder.take(events("old.example", 20, day: -1) + events("small.example", 1, day: 0))
        try folder.take(events("large.example", 60, day: 0))
        try folder.store.makeRoomForOthers(leaving: 1 << 20) { false }
        #expect(try folder.counted() == 81)
        func rows() throws -> [String: Int] {
            try folder.store.read { database in
                let sql = "SELECT domain, (SELECT count(*) FROM report_row WHERE report = report.id) FROM report"
                return Dictionary(
                    uniqueKeysWithValues: try Row.fetchAll(database, sql: sql).map { ($0[0] as String, $0[1] as Int) }
                )
            }
        }
        let size = try #require(try folder.store.read { try Int.fetchOne($0, sql: "SELECT sum(octets) FROM report") })
        let lengths = try folder.store.read { try Int.fetchOne($0, sql: "SELECT sum(length(record)) FROM report_row") }
        #expect(size == lengths)
        try folder.store.makeRoomForOthers(leaving: size) { false }
        #expect(try rows().values.reduce(0, +) < 81)
        #expect(try rows()["old.example"] == 0)
        try folder.take(events("old.example", 1, day: -1))
        #expect(try rows()["old.example"] == 0)
        let old = try #require(try folder.reports(ReportFilter(day: ReportFolder.day - 1, domain: nil)).first)
        #expect((old.state, old.messages) == ("no room", 21))
        #expect(try folder.store.messageCount() == 82)
        #expect(try folder.store.check().isEmpty)
        let status = try folder.store.status(spool: folder.ledger.spool, maximumOctets: 1 << 30, now: folder.now)
        #expect(status.troubles.first?.text.hasSuffix("had no room in the store: [ledger] max_bytes") == true)
    }
}
