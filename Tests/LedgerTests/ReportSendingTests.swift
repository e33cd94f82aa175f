import AggregateReports
import GRDB
import MailSyntax
import Synchronization
import TestSupport
import Testing

@testable import Ledger

@Suite("What becomes of reports")
struct ReportSendingTests {
    @Test("a report goes once, and the mail server gets it whole")
    func sent() async throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event(), ReportFolder.event()])
        try folder.closeDay()
        let sender = try folder.sender()
        let delivery = try #require(try folder.store.openDeliveries(ReportFilter()).first)
        guard case .tried(let attempt) = try await sender.turn() else {
            Issue.record("nothing was tried")
            return
        }
        #expect(attempt.text == "report on example.com of 2026-11-27 to r@example.com: sent: 250 Ok")
        #expect(try await sender.turn() == .idle(until: nil))
        #expect(try await sender.send(delivery) == .idle(until: nil))
        let sent = folder.sent
        #expect(sent.map(\.recipient) == ["r@example.com"])
        let id = try #require(try folder.reports().first?.id)
        #expect(String(decoding: sent[0].message, as: UTF8.self).contains("Report-ID: \(id)"))
    }

    @Test("destinations are verified at once, each once for its report")
    func verifiedAtOnce() async throws {
        let folder = try ReportFolder()
        let count = ReportSender.verifiedAtOnce + 1
        try folder.take((0..<count).map { number in ReportFolder.event { $0.policyDomain = "d\(number).example" } })
        try folder.closeDay()
        let asked = Mutex((now: 0, most: 0, all: 0))
        let surroundings = ReportSender.Surroundings { _, _ in
            asked.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.all + 1) }
            // None is answered before all are asked, or it takes long.
            for _ in 0..<12_000 where asked.withLock({ $0.most }) < ReportSender.verifiedAtOnce {
                try? await Task.sleep(for: .milliseconds(10))
            }
            asked.withLock { $0.now -= 1 }
            return .undecided
        } send: { _, _ in
            .accepted("250 Ok")
        } now: { [script = folder.script] in
            script.withLock { $0.now }
        }
        let sender = try ReportSender(folder.store, folder.settings, surroundings, keepsToWindow: false)
        for _ in 0..<count { _ = try await sender.turn() }
        #expect(asked.withLock { [$0.most, $0.all] } == [ReportSender.verifiedAtOnce, count])
        #expect(try Set(folder.states()) == ["unverified"])
    }

    @Test("a report that waits for a destination that is stopped is shown as one that does not go")
    func stoppedMeanwhile() throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        try folder.closeDay()
        #expect(try folder.states() == ["waiting"])
        try folder.store.suppress(.address("r@example.com"), now: folder.now)
        #expect(try folder.states() == ["suppressed"])
        _ = try folder.store.unsuppress(.address("r@example.com"))
        #expect(try folder.states() == ["waiting"])
        var settings = folder.settings
        settings.excludes = { _ in true }
        var shown = [ReportSummary]()
        try folder.store.reports(ReportFilter(), settings, now: folder.now) { shown.append($0) }
        #expect(shown.flatMap(\.deliveries).map(\.detail) == ["[reports] exclude has the domain"])
    }

    @Test("a rehearsal shows what would follow, and changes nothing")
    func rehearsal() throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        folder.now = ReportDay.start(ReportFolder.day + 2)
        func contents() throws -> [[Row]] {
            try folder.store.read { database in
                try ["mark", "day", "", "row", "delivery"].map { name in
                    let table = name.isEmpty ? "report" : "report_" + name
                    return try Row.fetchAll(database, sql: "SELECT * FROM \(table) ORDER BY 1, 2")
                }
            }
        }
        let before = try contents()
        let (path, maximum) = (folder.store.path, try #require(folder.store.maximumOctets))
        let files = try Store.rehearse(path, maximumOctets: maximum) { store in
            try store.closeDays(folder.settings.window, now: folder.now)
            try store.planReports(folder.settings, now: folder.now)
            var states = [String]()
            try store.reports(ReportFilter(), folder.settings, now: folder.now) { states += $0.deliveries.map(\.state) }
            #expect(states == ["waiting"])
            return try store.files(ReportFilter(), folder.settings)
        }
        #expect(try contents() == before)
        #expect(throws: StoreError.locked) {
            try Store.rehearse(path, maximumOctets: maximum) { _ in throw StoreError.locked }
        }
        #expect(try contents() == before)
        // What it would have sent is what is sent.
        let file = try #require(files.first)
        let octets = try #require(try folder.store.octets(of: file))
        try folder.closeDay()
        #expect(try folder.store.octets(of: file) == octets)
        #expect(try folder.store.files(ReportFilter(), folder.settings).map(\.name) == [file.name])
    }

    @Test("who gets none")
    func outlook() throws {
        let folder = try ReportFolder()
        try folder.take([
            // No message of this one passes.
            ReportFolder.event {
                $0.policyDomain = "gated.example"
                $0.dmarc = "fail"
            },
            ReportFolder.event { $0.policyDomain = "excluded.example" },
            // A bounce causes none alone.
            ReportFolder.event {
                $0.policyDomain = "bounce.example"
                $0.sender = ""
            },
            ReportFolder.event { $0.policyDomain = "made.example" },
        ])
        var settings = folder.settings
        settings.excludes = { $0.description == "excluded.example" }
        try folder.closeDay(settings)
        let states = try folder.reports().map { [$0.domain, $0.state] }
        #expect(
            states == [
                ["bounce.example", "not caused"], ["excluded.example", "excluded"], ["gated.example", "gated"],
                ["made.example", "made"],
            ]
        )
    }

    @Test("the gate stays open for 30 days after a pass")
    func gate() throws {
        for (days, state) in [(28.9, "made"), (31.0, "gated")] {
            let folder = try ReportFolder()
            folder.now = folder.now + Int64(-days * 86_400)
            try folder.take([ReportFolder.event { $0.time -= days * 86_400 }])
            folder.now = UnixTime(Int64(SampleEvent.noon))
            try folder.take([ReportFolder.event { $0.dmarc = "fail" }])
            try folder.closeDay()
            #expect(try folder.reports().map(\.state) == [state], "\(days) days")
        }
    }

    @Test("a refusal stops the destination for a week, and the next one for two")
    func refused() async throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event(), ReportFolder.event { $0.policy = "none" }])
        try folder.closeDay()
        folder.answer(.refused("550 no"))
        let sender = try folder.sender()
        for _ in 0..<2 { _ = try await sender.turn() }
        #expect(try folder.states().sorted() == ["refused", "suppressed"])
        let first = try #require(try folder.store.suppressions(at: folder.now).first)
        #expect(first.until == folder.now.seconds + 7 * 86_400)
        #expect(first.destination == "r@example.com")
        #expect(try folder.store.suppressions(at: folder.now + 8 * 86_400).isEmpty)
        let later = folder.now + 8 * 86_400
        try folder.store.write { try $0.suppress(refusing: "example.com@r", "550 no", now: later) }
        #expect(try folder.store.suppressions(at: later).first?.until == later.seconds + 14 * 86_400)
        #expect(try folder.store.unsuppress(.address("R@example.com")))
        #expect(try !folder.store.unsuppress(.address("R@example.com")))
        try folder.store.suppress(.domain("example.com"), now: later)
        #expect(try folder.store.suppression(of: "example.com@r", host: "example.com", at: later)?.until == nil)
    }

    @Test(
        "what holds a report up, or keeps it here",
        arguments: [
            (DestinationOutcome.own, DeliveryOutcome.deferred("450 later"), "deferred", true),
            (.own, .unavailable("refused"), "deferred", true), (.own, .withheld(.tooLarge, "20"), "too large", false),
            (.undecided, .accepted("250"), "unverified", true),
            (.refused("no record"), .accepted("250"), "not authorized", false),
        ]
    )
    func obstacles(_ verification: DestinationOutcome, _ outcome: DeliveryOutcome, state: String, isOpen: Bool)
        async throws
    {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        try folder.closeDay()
        folder.verify(verification)
        folder.answer(outcome)
        _ = try await folder.sender().turn()
        let delivery = try #require(try folder.reports().first?.deliveries.first)
        #expect(delivery.state == state)
        #expect(delivery.isOpen == isOpen)
        #expect(delivery.due == (isOpen ? folder.now.seconds + DeliveryStep.pauses.lowerBound : nil))
    }

    @Test("an obsolete limit of the record is a maximum")
    func limit() async throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event { $0.rua = ["mailto:r@example.com!100"] }])
        try folder.closeDay()
        _ = try await folder.sender().turn()
        #expect(try folder.states() == ["too large"])
        #expect(folder.sent.isEmpty)
    }

    @Test("what a crash has left as sending goes again, octet for octet")
    func crash() async throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        try folder.closeDay()
        folder.answer(.deferred("closed"))
        _ = try await folder.sender().turn()
        try folder.store.write { try $0.execute(sql: "UPDATE report_delivery SET state = 'sending', due = 0") }
        folder.now = folder.now + 3600
        folder.answer(.accepted("250"))
        var settings = folder.settings
        settings.organization = "Another Name"
        _ = try await folder.sender(settings).turn()
        let sent = folder.sent
        #expect(sent.count == 2)
        #expect(sent[0].message == sent[1].message)
        #expect(try folder.states() == ["sent"])
    }

    @Test("nobody sends while another process does")
    func lock() async throws {
        let folder = try ReportFolder()
        try folder.take([ReportFolder.event()])
        try folder.closeDay()
        let lock = try DeliveryLock(beside: folder.store.path)
        #expect(lock != nil)
        #expect(try await folder.sender().turn() == .held)
        withExtendedLifetime(lock) {}
    }

    @Test(
        "pauses grow, keep to the hours, and end after three days",
        arguments: [
            // Attempts; hours since the first; the hour of the day; the pause in minutes, or nil for the end.
            (1, 0.0, 2.0, 15.0), (2, 0.5, 2.0, 30), (3, 1, 2.0, 60), (20, 24, 2.0, 240), (1, 0, 7.9, 1000),
            (9, 72, 2.0, nil),
        ] as [(Int, Double, Double, Double?)]
    )
    func pauses(attempts: Int, since: Double, hour: Double, minutes: Double?) {
        let now = ReportDay.start(100) + Int64(hour * 3600)
        let window = SendingWindow(from: 1800, to: 28_800)
        let step = DeliveryStep(
            .deferred("x"),
            attempts: attempts,
            began: now + Int64(-since * 3600),
            window,
            now: now
        )
        #expect(step.state == (minutes == nil ? .givenUp : .deferred))
        let pause = step.due.map { Double($0.seconds - now.seconds) / 60 }
        // After 240 minutes the window is closed in two of the cases.
        switch (attempts, hour) {
        case (20, _): #expect(step.due == ReportDay.start(101) + 1800)
        case (_, 7.9): #expect(step.due == ReportDay.start(101) + 1800)
        default: #expect(pause == minutes)
        }
    }

    @Test("hours, also over midnight")
    func window() {
        let night = SendingWindow(from: 79_200, to: 7200)
        let day = ReportDay.start(100)
        #expect(night.isOpen(at: day + 3600) && night.isOpen(at: day + 80_000) && !night.isOpen(at: day + 7200))
        #expect(night.next(from: day + 7200) == day + 79_200)
        #expect(night.rest(at: day + 3600) == 3600)
        let morning = SendingWindow(from: 1800, to: 28_800)
        #expect(morning.point(after: day, 0) == day + 1800)
        #expect(morning.point(after: day, 0.5) == day + 15_300)
        #expect(morning.point(after: day + 28_000, 0.5) == day + 28_400)
        #expect(morning.point(after: day + 28_800, 0) == day + 88_200)
        #expect((morning.lastChance, night.lastChance, SendingWindow.always.lastChance) == (25_200, 82_800, 82_800))
    }

    @Test("a minute, a day and a host have their bounds")
    func budget() {
        var settings = ReportSettings(organization: "", address: "")
        (settings.rate, settings.perDay, settings.perHost) = (2, 5, 3)
        var budget = SendingBudget(settings)
        let day = ReportDay.start(100)
        var now = day
        for host in ["a", "a"] {
            #expect(budget.decision(for: host, now: now) == .now)
            budget.spend(on: host, now: now)
        }
        #expect(budget.decision(for: "b", now: now) == .pause(until: day + 60))
        now = day + 60
        budget.spend(on: "a", now: now)
        #expect(budget.decision(for: "a", now: now) == .postpone(until: day + 86_400))
        #expect(budget.decision(for: "b", now: now) == .now)
        budget.spend(on: "b", now: now)
        now = day + 120
        budget.spend(on: "b", now: now)
        #expect(budget.decision(for: "c", now: now) == .pause(until: day + 86_400))
        #expect(budget.decision(for: "a", now: day + 86_400) == .now)
        settings.window = SendingWindow(from: 1800, to: 28_800)
        #expect(SendingBudget(settings).decision(for: "a", now: day) == .pause(until: day + 1800))
        #expect(SendingBudget(settings, keepsToWindow: false).decision(for: "a", now: day) == .now)
    }

    @Test("who sends by hand waits for the rate, and not for the next day", arguments: [(60, true), (86_400, false)])
    func patience(seconds: Int64, isEnough: Bool) {
        let start = ReportDay.start(100)
        var (now, patience) = (start, SendingPatience())
        while now < start + seconds, patience.lasts(until: start + seconds, now: now) { now = now + 1 }
        #expect((now == start + seconds) == isEnough)
    }

    @Test("who sends by hand does not wait for another process for ever")
    func patienceWithOthers() {
        var patience = SendingPatience()
        #expect((0..<3600).count { _ in patience.lasts(until: nil, now: UnixTime(0)) } == 89)
    }

    @Test("a host that gets no more reports today holds up no other", arguments: [true, false])
    func otherHosts(atOnce: Bool) async throws {
        let folder = try ReportFolder()
        let hosts = ["a.example", "a.example", "a.example", "b.example", "c.example"]
        try folder.take(
            hosts.enumerated().map { number, host in
                ReportFolder.event {
                    $0.policyDomain = "d\(number).example"
                    $0.rua = ["mailto:r\(number)@\(host)"]
                }
            }
        )
        try folder.closeDay()
        var settings = folder.settings
        settings.perHost = 1
        let sender = try folder.sender(settings)
        var postponed = [String]()
        for id in try folder.store.openDeliveries(ReportFilter()) {
            let turn = try await atOnce ? sender.send(id) : sender.turn()
            if case .postponed(let host, _) = turn { postponed.append(host) }
        }
        #expect(postponed == ["a.example", "a.example"])
        let recipients = folder.sent.map { $0.recipient.split(separator: "@").last }
        #expect(recipients.sorted { $0 ?? "" < $1 ?? "" } == ["a.example", "b.example", "c.example"])
    }
}
