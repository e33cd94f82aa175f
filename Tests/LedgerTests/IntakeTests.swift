import EventSpool
import Glibc
import MailSyntax
import TestSupport
import Testing

@testable import Ledger

@Suite("The ledger's intake")
struct IntakeTests {
    @Test("a segment counts once, even where its file is there again after a crash")
    func once() throws {
        let ledger = try LedgerFolder()
        let lines = (0..<3).map { SampleEvent(time: SampleEvent.noon + Double($0), id: "Q\($0)").line }
        try ledger.write(lines)
        #expect(try ledger.take().map(\.messages) == [3])
        #expect(!ledger.exists("mx1.\(LedgerFolder.boot).00000001.events"))
        try ledger.write(lines)
        #expect(try ledger.take().isEmpty)
        #expect(try ledger.found(MessageFilter()) == ["Q2", "Q1", "Q0"])
        #expect(try ledger.store.check().isEmpty)
        // A second process of the same host has another number.
        try ledger.write(lines, boot: "00112233445566fe")
        #expect(try ledger.take().map(\.messages) == [3])
    }

    @Test("messages of one millisecond are all there, also from a segment that comes late")
    func sameTime() throws {
        let ledger = try LedgerFolder()
        try ledger.write((0..<5).map { SampleEvent(id: "A\($0)").line })
        try ledger.write([SampleEvent(time: SampleEvent.noon + 1, id: "C").line], sequence: 2)
        try ledger.write((0..<5).map { SampleEvent(id: "B\($0)").line }, sequence: 3)
        try ledger.take()
        #expect(try ledger.found(MessageFilter()) == ["C", "B4", "B3", "B2", "B1", "B0", "A4", "A3", "A2", "A1", "A0"])
    }

    @Test("of a segment that was cut, what is whole is taken in, and the rest is set aside")
    func cut() throws {
        let ledger = try LedgerFolder()
        let lines = ["A", "B"].map { SampleEvent(id: $0, recipients: []).line }
        let octets = Array(lines.map { $0 + "\n" }.joined().utf8)
        for count in (lines[0].utf8.count - 1)...octets.count {
            let boot = String(repeating: "0", count: 16 - String(count, radix: 16).count) + String(count, radix: 16)
            try ledger.write(Array(octets.prefix(count)), boot: boot)
            let taken = try ledger.take()
            let first = lines[0].utf8.count
            let isWhole = [0, first, first + 1, octets.count - 1, octets.count].contains(count)
            #expect(taken.map(\.messages) == [count >= octets.count - 1 ? 2 : count >= first ? 1 : 0])
            #expect(taken.map(\.rejected) == [isWhole ? 0 : 1])
            #expect(ledger.exists("mx1.\(boot).00000001.rejected") == !isWhole)
        }
        #expect(try ledger.store.check().isEmpty)
    }

    @Test("lines that are no events are set aside with their reasons")
    func rejected() throws {
        let ledger = try LedgerFolder()
        let good = SampleEvent().line
        let bad = [
            "nonsense", "[]", good.replacing(#""v":1"#, with: #""v":2"#), good.replacing(#","ms":12"#, with: ""),
            good.replacing(#""ms":12"#, with: #""ms":"long""#), good.replacing("1795737600.0", with: "-5"),
            #"{"v":3}"#, "\u{0}\u{0}", String(repeating: "x", count: EventLine.limit + 1),
        ]
        try ledger.write([bad[0], good] + bad.dropFirst() + [SampleEvent(id: "LAST").line])
        let taken = try ledger.take()
        #expect(taken.map(\.messages) == [2])
        #expect(taken.map(\.rejected) == [bad.count])
        let file = "mx1.\(LedgerFolder.boot).00000001.rejected"
        #expect(ledger.mode(file) == 0o640)
        var reader = try SegmentReader(path: ledger.folder.file(file))
        guard case .whole(let reasons)? = try reader.next() else {
            Issue.record("there is no line of reasons")
            return
        }
        #expect(
            reasons.text
                == "# 9 lines not taken: 3 not a JSON object; 1 longer than 4194304 octets; "
                + "1 of version 2 of the format; this program reads 1; 1 of version 3 of the format; this program reads 1; "
                + "1 with a value of ms that it cannot have; 1 with a value of time that it cannot have; 1 without ms"
        )
        #expect(try ledger.store.status(spool: ledger.spool, maximumOctets: 1, now: 0).rejected == bad.count)
    }

    @Test("members that nobody knows are ignored, and kept")
    func unknownMembers() throws {
        let ledger = try LedgerFolder()
        let line = SampleEvent().line.replacing(#""ms":12}"#, with: #""ms":12,"new":{"dns":{"answers":7}}}"#)
        try ledger.write([line])
        try ledger.take()
        var json = [String]()
        try ledger.store.events(MessageFilter(), limit: nil) {
            json.append($0.json[...].text)
            return true
        }
        #expect(json == [line])
    }

    @Test("answers are kept apart, and come back in their place")
    func answers() throws {
        let ledger = try LedgerFolder()
        let answers = #"[{"name":"e\"],}","type":"TXT","outcome":"records","ttl":3,"source":"server","records":["x"]}]"#
        let line = SampleEvent(answers: answers).line
        try ledger.write([line])
        try ledger.take()
        func stored() throws -> [StoredEvent] {
            var events = [StoredEvent]()
            try ledger.store.events(MessageFilter(), limit: nil) {
                events.append($0)
                return true
            }
            return events
        }
        #expect(try stored().map { $0.json[...].text } == [line])
        #expect(try EventStory(stored()[0]).text.hasSuffix("lookups\n  e\"],} TXT: 1 record (server)\n      x\n"))
        let now = UnixTime(Int64(SampleEvent.noon) + 100)
        try Retention(ledger.store, keep: .seconds(3600), keepAnswers: .seconds(50)).apply(now: now)
        #expect(try stored().map { $0.json[...].text } == [SampleEvent().line])
    }

    @Test("a segment that is older than what is kept is dropped")
    func outdated() throws {
        let ledger = try LedgerFolder()
        try ledger.write([SampleEvent().line])
        try ledger.intake.run(notBefore: UnixTime(Int64(time(nil)) + 10))
        #expect(try ledger.found(MessageFilter()).isEmpty)
        #expect(try ledger.spool.segments().isEmpty)
        #expect(try ledger.store.status(spool: ledger.spool, maximumOctets: 1, now: 0).outdated == 1)
    }

    @Test("a segment whose writer has died is closed by a reader who may not write to it")
    func orphan() throws {
        let ledger = try LedgerFolder()
        let name = SegmentName(host: "mx1", boot: LedgerFolder.boot, sequence: 7)
        let path = try ledger.folder.write(name.fileName(.open), Array((SampleEvent().line + "\n").utf8))
        _ = unsafe chmod(path, 0o440)
        try ledger.take()
        #expect(try ledger.found(MessageFilter()).isEmpty)
        #expect(try ledger.spool.closeOrphans() == [name])
        try ledger.take()
        #expect(try ledger.found(MessageFilter()) == ["4XyZ1"])
    }

    @Test("of several that close an orphan at once, one does, and none replaces a segment that waits")
    func orphanOfSeveral() async throws {
        let ledger = try LedgerFolder()
        let spool = ledger.spool
        for sequence in 1...50 {
            let name = SegmentName(host: "mx1", boot: LedgerFolder.boot, sequence: sequence)
            try ledger.folder.write(name.fileName(.open), Array("new\n".utf8))
            let closed = try await withThrowingTaskGroup(of: [SegmentName].self) { group in
                for _ in 0..<4 { group.addTask { try spool.closeOrphans() } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(closed == [name])
        }
        let taken = SegmentName(host: "mx1", boot: LedgerFolder.boot, sequence: 51)
        try ledger.folder.write(taken.fileName(.open), Array("new\n".utf8))
        try ledger.folder.write(taken.fileName(.closed), Array("waits\n".utf8))
        #expect(try spool.closeOrphans().isEmpty)
        let size = try spool.segments().first { $0.name == taken && $0.state == .closed }?.octetCount
        #expect(size == "waits\n".utf8.count)
    }
}
