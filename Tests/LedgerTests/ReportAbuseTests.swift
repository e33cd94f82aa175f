import AggregateReports
import GRDB
import MailSyntax
import TestSupport
import Testing

@testable import Ledger

@Suite("Reports that somebody wants to misuse")
struct ReportAbuseTests {
    private static func address(_ uri: String) throws -> ReportDestination { try #require(ReportDestination(uri)) }

    @Test("signatures of random names make no report that no mail server takes")
    func size() async throws {
        let folder = try ReportFolder()
        let filler = String(repeating: "x", count: 240)
        try folder.take(
            (0..<400).map { number in
                ReportFolder.event {
                    $0.signer = "\(number).\(filler)"
                    $0.signatures = 100
                }
            }
        )
        let octets = try folder.store.read { try Int.fetchOne($0, sql: "SELECT sum(length(record)) FROM report_row") }
        #expect(try #require(octets) < ReportCounter.maximumOctets + 1000)
        let report = try #require(try folder.reports().first)
        #expect(report.folded > 0 && report.messages == 400)
        #expect(try folder.counted() == 400)
        // A row that is there still counts.
        try folder.take([
            ReportFolder.event {
                $0.signer = "0.\(filler)"
                $0.signatures = 100
            }
        ])
        #expect(try folder.reports().first?.folded == report.folded)
    }

    @Test("RFC 9990 § 4: a host that names one address for all its destinations gets one report")
    func override() async throws {
        let folder = try ReportFolder()
        try folder.take([
            ReportFolder.event { $0.rua = (0..<5).map { "mailto:r\($0)@reports.example" } }
        ])
        try folder.closeDay()
        folder.verify(.verified(try Self.address("mailto:all@reports.example")))
        folder.answer(.deferred("450 later"))
        let sender = try folder.sender()
        for _ in 0..<5 { _ = try await sender.turn() }
        #expect(folder.sent.map(\.recipient) == ["all@reports.example"])
        #expect(try folder.states().sorted() == ["deferred"] + Array(repeating: "suppressed", count: 4))
        folder.now = folder.now + 3600
        folder.answer(.accepted("250"))
        _ = try await sender.turn()
        #expect(try folder.states().sorted() == ["sent"] + Array(repeating: "suppressed", count: 4))
    }

    @Test("the address that a host names can be stopped, and a refusal stops it for every destination")
    func recipient() async throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event { $0.rua = ["mailto:a@reports.example", "mailto:b@reports.example"] }])
        try folder.closeDay()
        folder.verify(.verified(try Self.address("mailto:all@reports.example")))
        folder.answer(.refused("550 no"))
        let sender = try folder.sender()
        for _ in 0..<2 { _ = try await sender.turn() }
        #expect(folder.sent.count == 1)
        #expect(try folder.states().sorted() == ["refused", "suppressed"])
        #expect(try folder.store.suppressions(at: folder.now).map(\.destination) == ["all@reports.example"])

        let other = try ReportFolder()
        try other.take([ReportFolder.event()])
        try other.store.suppress(.address("all@example.com"), now: other.now)
        try other.closeDay()
        other.verify(.verified(try Self.address("mailto:all@example.com")))
        _ = try await other.sender().turn()
        #expect(other.sent.isEmpty)
        #expect(try other.states() == ["suppressed"])
    }

    @Test("no report goes to an address that asks for a way to another host, and show says so")
    func routes() async throws {
        let folder = try ReportFolder()
        try folder.take([
            ReportFolder.event { $0.rua = ["mailto:v%25victim.example@example.com", "mailto:r@example.com"] },
            ReportFolder.event {
                $0.policyDomain = "sub.example.com"
                $0.rua = ["mailto:victim.example%21v@example.com"]
            },
        ])
        func shown() throws -> [String] {
            try folder.reports().map { ReportText.story($0, lastPass: nil) }
                .map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        }
        func obstacles() throws -> [String] {
            try folder.reports().compactMap { ReportText.obstacle($0, lastPass: nil) }
                .map { $0.split(separator: " ").prefix(6).joined(separator: " ") }
        }
        #expect(try obstacles() == ["the report on sub.example.com of 2026-11-27"])
        for text in try shown() { #expect(text.contains("asks a mail server to pass mail on")) }
        #expect(try shown().map { $0.contains("goes when the day is closed, to r@example.com") } == [true, false])
        try folder.closeDay()
        #expect(try obstacles() == ["the report on sub.example.com of 2026-11-27"])
        for text in try shown() { #expect(text.contains("asks a mail server to pass mail on")) }
        #expect(try folder.states().sorted() == ["not authorized", "not authorized", "waiting"])
        let sender = try folder.sender()
        while case .tried = try await sender.turn() {}
        #expect(folder.sent.map(\.recipient) == ["r@example.com"])
    }

    @Test("an owner of many domains gets reports on those with the most messages, and others get theirs")
    func owner() throws {
        let folder = try ReportFolder()
        var settings = folder.settings
        settings.perDay = 40
        let count = 13
        try folder.take(
            (0..<count).flatMap { number in
                Array(
                    repeating: ReportFolder.event {
                        $0.policyDomain = "d\(number).evil.example"
                        // By psd=n, each is its own organization.
                        $0.organizational = $0.policyDomain
                    },
                    count: number + 1
                )
            } + [ReportFolder.event()]
        )
        try folder.closeDay(settings)
        let reports = try folder.reports()
        let limited = reports.filter { $0.state == "owner limit" }
        #expect(Set(limited.map(\.domain)) == Set((0..<3).map { "d\($0).evil.example" }))
        #expect(limited.allSatisfy { $0.deliveries.isEmpty })
        #expect(reports.filter { $0.state == "made" }.count == 11)
        #expect(try folder.store.reportStatus(folder.settings, now: folder.now).text.contains("11 made, 3 owner limit"))
    }

    @Test(
        "who the owner of a domain is",
        arguments: [
            ("a.b.example.com", "b.example.com", "example.com", "example.com"),
            ("a.example.com", "example.com", nil, "example.com"),
            // The record of a public suffix, and an event that does not tell.
            ("bank", "example.bank", nil, "bank"), ("a.example.com", "", nil, "a.example.com"),
        ]
    )
    func owners(domain: String, organizational: String, registrable: String?, owner: String) throws {
        var event = ReportFolder.event()
        (event.policyDomain, event.organizational) = (domain, organizational)
        let name = try registrable.map { try DomainName($0) }
        var tally = ReportTally(reportAddress: "dmarc@example.org", now: 0) { _ in name }
        tally.add(try EventLine.read(Octets(event.line)).get())
        #expect(tally.messages.map(\.owner.description) == [owner])
    }

    @Test("the limit of the address that a host names is a maximum too")
    func limit() async throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        try folder.closeDay()
        folder.verify(.verified(try Self.address("mailto:all@example.com!100")))
        _ = try await folder.sender().turn()
        #expect(try folder.states() == ["too large"])
    }

    @Test("a program that ends while it sends does not send at once again")
    func crashes() throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        try folder.closeDay()
        for attempts in 1...3 {
            let delivery = try #require(try folder.store.dueDeliveries(at: folder.now, limit: 1).first)
            try folder.store.begin(delivery, to: "r@example.com", .always, now: folder.now)
            #expect(try folder.store.dueDeliveries(at: folder.now, limit: 1).first == nil)
            #expect(try folder.reports().first?.deliveries.first?.attempts == attempts)
            folder.now = folder.now + 3600
        }
    }

    @Test("rows of reports that were switched off go after a week")
    func abandoned() throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        folder.now = folder.now + 9 * 86_400
        try Retention(folder.store, keep: .seconds(30 * 86_400), keepAnswers: .zero).apply(now: folder.now)
        #expect(try folder.counted() == 0)
        #expect(try folder.store.check().isEmpty)
    }

    @Test("days that a clock far ahead has closed are opened again, but no report counts more than it said")
    func clock() throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        let today = folder.now
        for days: Int64 in [400, 3] {
            folder.now = today + days * 86_400
            try folder.store.closeDays(.always, now: folder.now)
        }
        folder.now = today
        #expect(try #require(try folder.store.closeDays(.always, now: folder.now)) < ReportFolder.day)
        try folder.take([ReportFolder.event()])
        #expect(try folder.reports().map(\.messages) == [2])

        folder.now = today + 400 * 86_400
        try folder.store.closeDays(.always, now: folder.now)
        try folder.store.planReports(folder.settings, now: folder.now)
        folder.now = today
        #expect(try folder.store.closeDays(.always, now: folder.now) == ReportFolder.day)
        try folder.take([ReportFolder.event()])
        #expect(try folder.reports().map(\.messages) == [2])
    }

    @Test("a clock that is set back does not make a pause longer")
    func pause() async throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event { $0.rua = ["mailto:a@example.com", "mailto:b@example.com"] }])
        try folder.closeDay()
        folder.answer(.unavailable("refused"))
        let sender = try folder.sender()
        _ = try await sender.turn()
        #expect(try await sender.turn() == .idle(until: folder.now + 60))
        folder.now = folder.now + -3600
        try folder.store.write { try $0.execute(sql: "UPDATE report_delivery SET due = 0") }
        guard case .tried = try await sender.turn() else {
            Issue.record("nothing was tried")
            return
        }
    }

    @Test("who was stopped by hand stays stopped when the domain is forgotten")
    func forgotten() throws {
        let folder = try ReportFolder()
        try folder.store.suppress(.address("r@example.net"), now: folder.now)
        try folder.store.write { try $0.suppress(refusing: "example.net@s", "550 no", now: folder.now) }
        try folder.store.forgetReports(of: DomainName("example.net"))
        #expect(try folder.store.suppressions(at: folder.now).map(\.destination) == ["r@example.net"])
    }
}
