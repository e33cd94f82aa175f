import AggregateReports
import GRDB
import MailSyntax
import TestSupport
import Testing

@testable import Ledger

@Suite("What is counted for domain owners")
struct ReportCountingTests {
    @Test("messages that are alike are a row, and each segment counts once")
    func rows() throws {
        let folder = try ReportFolder()
        try folder.take([
            ReportFolder.event(), ReportFolder.event(), ReportFolder.event { $0.ip = "2001:db8::1" }, SampleEvent(),
        ])
        let report = try #require(try folder.reports().first)
        #expect((report.messages, report.rows, report.isDayOpen) == (3, 2, true))
        #expect(try folder.store.check().isEmpty)
        // A crash has left the file of a segment that was taken in.
        try folder.ledger.write([ReportFolder.event().line], sequence: 1)
        try folder.intake.run(notBefore: UnixTime(0))
        #expect(try folder.counted() == 3)
    }

    @Test("without reports, nothing is counted")
    func off() throws {
        let folder = try ReportFolder()
        try folder.ledger.write([ReportFolder.event().line])
        try folder.ledger.take()
        #expect(try folder.store.keepsReports() == false)
        #expect(try folder.reports().isEmpty)
    }

    @Test("a changed record is another report; of many, the last counts the rest")
    func policies() throws {
        let folder = try ReportFolder()
        let count = ReportCounter.maximumPolicies + 3
        try folder.take(
            (0..<count).map { number in ReportFolder.event { $0.rua.append("mailto:r\(number)@example.com") } }
        )
        // What was counted once is found again.
        try folder.take([ReportFolder.event { $0.rua.append("mailto:r0@example.com") }])
        let reports = try folder.reports()
        #expect(reports.count == ReportCounter.maximumPolicies)
        #expect(reports.map(\.messages).reduce(0, +) == count + 1)
        #expect(reports.map(\.further) == Array(repeating: 0, count: ReportCounter.maximumPolicies - 1) + [3])
        #expect(reports.first?.messages == 2)
        #expect(try folder.store.check().isEmpty)
    }

    @Test("a report keeps within its rows, whatever is sent, and counts every message")
    func bounds() throws {
        let folder = try ReportFolder()
        let half = ReportCounter.maximumWhole / 2
        for start in stride(from: 0, to: 3 * half, by: half) {
            try folder.take(
                (start..<(start + half)).map { number in
                    ReportFolder.event {
                        $0.ip = "10.\(number >> 16).\(number >> 8 & 255).\(number & 255)"
                        $0.signer = "d\(number).example.com"
                    }
                }
            )
        }
        let report = try #require(try folder.reports().first)
        #expect(report.messages == 3 * half)
        #expect(report.rows <= ReportBounds.rows && report.rows > ReportCounter.maximumFolded)
        #expect(report.folded == 3 * half - ReportCounter.maximumWhole)
        #expect(try folder.counted() == 3 * half)
        #expect(try folder.store.check().isEmpty)
    }

    @Test("what comes after its day was closed is late, and so is what is too old or ahead of the clock")
    func late() throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        try folder.closeDay()
        try folder.take([
            ReportFolder.event(), ReportFolder.event { $0.time -= 9 * 86_400 },
            ReportFolder.event { $0.time += 9 * 86_400 },
        ])
        let days = try folder.store.reportStatus(nil, now: folder.now).days
        #expect(days.map(\.late) == [1, 1, 1])
        #expect(days.map(\.messages) == [0, 1, 0])
        #expect(try folder.counted() == 1)
    }

    @Test(
        "a day is over when every host has passed it, or when time is up",
        arguments: [
            // Hours after the midnight that ends day 100, of each host's newest event; now; the last day over.
            ([], 2.0, 99), ([1.0], 2.0, 100), ([0.001], 2.0, 99), ([1.0, -5.0], 2.0, 99), ([1.0, -5.0], 7.0, 100),
            ([1.0, -47.0], 2.0, 100), ([30.0], 40.0, 101), ([], 40.0, 101), ([30.0, -5.0], 30.0, 100),
        ]
    )
    func closing(hosts: [Double], now: Double, last: Int) {
        func time(_ hours: Double) -> UnixTime { ReportDay.start(101) + Int64(hours * 3600) }
        let window = SendingWindow(from: 1800, to: 28_800)
        #expect(ReportDay.lastOver(hosts: hosts.map(time), window, now: time(now)) == last)
    }

    @Test("a store of the first version gets the tables, and is read before that")
    func migration() throws {
        let folder = try Folder()
        let path = folder.file("ledger.sqlite")
        let queue = try DatabaseQueue(path: path)
        try queue.write {
            try $0.execute(sql: Schema.migrations[0])
            try $0.execute(sql: "UPDATE schema SET version = 1, reader = 1")
        }
        try queue.close()
        let reader = try Store.openReadOnly(path)
        #expect(try reader.keepsReports() == false)
        #expect(try reader.check().isEmpty)
        let store = try Store.open(path, maximumOctets: 1 << 30)
        #expect(try store.reportStatus(nil, now: UnixTime(0)).days.isEmpty)
    }

    @Test("rows go when all is done or after a week, and everything when messages do")
    func retention() async throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        try folder.closeDay()
        func apply() throws {
            try Retention(folder.store, keep: .seconds(30 * 86_400), keepAnswers: .zero).apply(now: folder.now)
        }
        try apply()
        #expect(try folder.counted() == 1)
        #expect(try await folder.sender().turn() != .held)
        try apply()
        #expect(try folder.counted() == 0)
        #expect(try folder.states() == ["sent"])
        #expect(try folder.store.check().isEmpty)
        folder.now = folder.now + 40 * 86_400
        try apply()
        #expect(try folder.reports().isEmpty)
        #expect(try folder.store.reportStatus(nil, now: folder.now).days.isEmpty)
    }

    @Test("a domain is forgotten in the reports on it and in the rows of others")
    func forgetting() throws {
        let folder = try ReportFolder()
        try folder.take([
            ReportFolder.event { $0.policyDomain = "example.net" }, ReportFolder.event(),
            ReportFolder.event { $0.signer = "example.net" },
        ])
        #expect(try folder.store.forgetReports(of: DomainName("example.net")) == 2)
        #expect(try folder.reports().map(\.domain) == ["example.com"])
        #expect(try folder.counted() == 1)
        #expect(try folder.store.check().isEmpty)
    }
}
