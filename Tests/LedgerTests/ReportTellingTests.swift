import MailSyntax
import TestSupport
import Testing

@testable import Ledger

@Suite("What is told of reports")
struct ReportTellingTests {
    @Test("status says when the next goes, within the hours, and since when the mail server is away")
    func status() async throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        try folder.closeDay()
        var settings = folder.settings
        settings.window = SendingWindow(from: 1800, to: 28_800)
        // Its hours are over.
        folder.now = ReportDay.start(ReportFolder.day + 2) + 36_000
        let tomorrow = ReportDay.start(ReportFolder.day + 3) + 1800
        func status() throws -> ReportStatus { try folder.store.reportStatus(settings, now: folder.now) }
        #expect(try status().next == tomorrow.seconds)
        #expect(try status().oldest == ReportDay.text(ReportFolder.day))
        #expect(try status().text.contains("oldest      of 2026-11-27, waits for 34 hours\n"))
        #expect(try status().countingSince == Int64(SampleEvent.noon))
        #expect(try folder.store.reportStatus(nil, now: folder.now).next == nil)
        let id = try #require(try folder.store.openDeliveries(ReportFilter()).first)
        let first = folder.now
        for (outcome, away) in [
            (DeliveryOutcome.unavailable("away"), first), (.unavailable("away"), first), (.deferred("later"), nil),
            (.unavailable("away"), first + 180),
        ] {
            folder.answer(outcome)
            _ = try await folder.sender(settings).send(id)
            #expect(try status().awaySince == away?.seconds, "\(outcome)")
            #expect(try status().lastSent == nil)
            folder.now = folder.now + 60
        }
        folder.answer(.accepted("250 Ok"))
        _ = try await folder.sender(settings).send(id)
        #expect(try status().awaySince == nil)
        #expect(try status().lastSent == folder.now.seconds)
        #expect(try status().oldest == nil)
        for line in try status().text.split(separator: "\n") { #expect(line.count <= 80) }
    }

    @Test("why there is no report on a domain")
    func absence() throws {
        let cases: [((inout SampleEvent) -> Void, String)] = [
            ({ $0.rua = [] }, "has no DMARC record"),
            ({ $0.rua = ["ftp://x"] }, "has a DMARC record (of example.com) with no usable rua: ftp://x"),
            ({ $0.action = "tempfail" }, "was told to come again"),
            ({ ($0.author, $0.rua) = ("other.example", []) }, "no message with an author at example.com is kept"),
        ]
        for (change, end) in cases {
            let folder = try ReportFolder()
            try folder.take([ReportFolder.event(change)])
            #expect(try Self.absence(folder, "example.com").reason.hasSuffix(end))
        }
    }

    private static func absence(_ folder: ReportFolder, _ domain: String, day: Int? = nil) throws -> ReportAbsence {
        let filter = ReportFilter(day: day, domain: try DomainName(unicode: Octets(domain)))
        return try folder.store.absence(filter, reportAddress: "dmarc@example.org")
    }

    @Test("where else the messages of a domain are counted")
    func elsewhere() throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event { $0.author = "sub.example.com" }])
        let sub = try Self.absence(folder, "sub.example.com")
        #expect(sub.otherDomain == "example.com")
        #expect(sub.reason == "mail from sub.example.com counts under example.com, whose record applies")
        let next = try Self.absence(folder, "example.com", day: ReportFolder.day + 1)
        #expect(next.otherDay == ReportFolder.day)
        #expect(next.reason == "no message on example.com of 2026-11-28 is counted")
    }

    @Test("what came too late is told with its day, and what came before counting began")
    func late() throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event { $0.policyDomain = "other.example" }])
        try folder.closeDay()
        try folder.take([ReportFolder.event()])
        let late = try Self.absence(folder, "example.com", day: ReportFolder.day)
        #expect(late.reason.hasSuffix("came too late for its day; 1 message of that day came too late"))
        let story = try #require(try folder.reports().map { ReportText.story($0, lastPass: nil) }.first)
        #expect(story.contains("  1 message of that day, on whatever domain, came too late to be counted\n"))
        // While they are off, nothing is counted.
        try folder.store.write { try $0.unmark(.counting) }
        #expect(try folder.store.countedSince() == nil)
        folder.now = folder.now + 5
        try folder.take([ReportFolder.event()])
        let since = try Self.absence(folder, "example.com").reason
        #expect(since.hasSuffix("was judged 2026-11-27T00:00:00Z, and messages count since 2026-11-29T00:00:05Z"))
    }

    @Test("what is told of a report fits in 80 columns, whatever the mail server said")
    func width() async throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        try folder.closeDay()
        folder.answer(.deferred(Array(repeating: "450 later \u{1b}[31m", count: 20).joined(separator: " ")))
        let id = try #require(try folder.store.openDeliveries(ReportFilter()).first)
        for _ in 0..<2 { _ = try await folder.sender().send(id) }
        let story = try #require(try folder.reports().map { ReportText.story($0, lastPass: nil) }.first)
        #expect(story.contains("\n    2 attempts, next 2026-"))
        #expect(story.contains(" 450 later ?[31m\n") && !story.contains("\u{1b}"))
        for line in story.split(separator: "\n") { #expect(line.count <= 80) }
        var status = try folder.store.reportStatus(folder.settings, now: folder.now)
        status.server = "127.0.0.1:25"
        status.serverProblem = Array(repeating: "554 no service", count: 20).joined(separator: " ")
        #expect(status.text.contains("\nserver      554 no service 554"))
        #expect(status.text.contains("\n            554 no"))
        for line in status.text.split(separator: "\n") { #expect(line.count <= 80) }
    }

    @Test("a list cuts names on a terminal only, and says how many more destinations there are")
    func list() throws {
        let folder = try ReportFolder()
        let name = String(repeating: "long", count: 12) + ".example"
        try folder.take([
            ReportFolder.event {
                $0.policyDomain = name
                $0.rua = ["mailto:r@\(name)", "mailto:s@\(name)"]
            }
        ])
        let report = try #require(try folder.reports().first)
        let cut = ReportText.lines(report, isCut: true)
        #expect(cut.count <= 81 && cut.hasSuffix("… +1\n"))
        let whole = ReportText.lines(report, isCut: false)
        #expect(whole.contains(" \(name) ") && whole.hasSuffix(" r@\(name) +1\n"))
    }
}
