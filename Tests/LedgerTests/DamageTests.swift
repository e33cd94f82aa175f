import EventSpool
import GRDB
import Glibc
import MailSyntax
import TestSupport
import Testing

@testable import Ledger

@Suite("The ledger's store against hostile and damaged input")
struct DamageTests {
    @Test("addresses and marks that differ after a NUL, or in their form of Unicode, are all kept")
    func texts() throws {
        let ledger = try LedgerFolder()
        let recipients = ["a@e\u{0}x", "b@e\u{0}x", "\u{E9}@e.example", "e\u{301}@e.example"]
        let trial = ["m\u{0}1", "m\u{0}2", "\u{E9}", "e\u{301}"]
        try ledger.write([SampleEvent(recipients: recipients, trial: trial).line])
        let taken = try ledger.take()
        #expect(taken.map(\.messages) == [1])
        #expect(taken.map(\.rejected) == [0])
        for address in recipients {
            var filter = MessageFilter()
            filter.recipient = MessageFilter.Address(address)
            #expect(try ledger.found(filter) == ["4XyZ1"], "\(address)")
        }
        for rule in trial {
            var filter = MessageFilter()
            filter.rule = rule
            #expect(try ledger.found(filter) == ["4XyZ1"], "\(rule)")
        }
    }

    @Test("a line that the database refuses is set aside, and the others of its segment are taken in")
    func refused() throws {
        let ledger = try LedgerFolder()
        try ledger.store.write {
            try $0.execute(
                sql: """
                    CREATE TRIGGER refuse AFTER INSERT ON tag WHEN
                    (SELECT queue FROM message WHERE id = NEW.message) = 'BAD'
                    BEGIN SELECT RAISE(ABORT, 'no'); END
                    """
            )
        }
        try ledger.write(["A", "BAD", "C"].map { SampleEvent(id: $0, spf: "fail").line })
        let taken = try ledger.take()
        #expect(taken.map(\.messages) == [2])
        #expect(taken.map(\.reasons) == ["1 line not taken: 1 that the store refuses: no"])
        #expect(try ledger.found(MessageFilter()).sorted() == ["A", "C"])
        #expect(try ledger.spool.segments().isEmpty)
        #expect(try ledger.store.check().isEmpty)
    }

    @Test("a segment whose rejected lines cannot be written stays, and the others go on")
    func rejectedDirectory() throws {
        let ledger = try LedgerFolder()
        try ledger.write(["nonsense"])
        try ledger.write([SampleEvent(id: "B").line], sequence: 2)
        let rejected = ledger.folder.file("mx1.\(LedgerFolder.boot).00000001.rejected")
        #expect(unsafe mkdir(rejected, 0o700) == 0)
        var skipped = [String]()
        try ledger.intake.run(notBefore: 0, skipped: { skipped.append("\($1)") })
        #expect(skipped == ["mx1.\(LedgerFolder.boot).00000001.events: Is a directory"])
        #expect(try ledger.found(MessageFilter()) == ["B"])
        #expect(try ledger.spool.segments().map(\.name.sequence) == [1])
        // One that is to be tried later is not read.
        try ledger.intake.run(notBefore: 0, skipped: { skipped.append("\($1)") }, isPaused: { $0.sequence == 1 })
        #expect(skipped.count == 1)
        // A pipe is replaced, and not waited for.
        #expect(unsafe rmdir(rejected) == 0)
        #expect(unsafe mkfifo(rejected, 0o600) == 0)
        #expect(unsafe mkfifo(rejected + ".new", 0o600) == 0)
        #expect(try ledger.take().map(\.rejected) == [1])
        #expect(try ledger.spool.segments().isEmpty)
    }

    @Test("only a regular file is read")
    func pipe() throws {
        let folder = try Folder()
        #expect(unsafe mkfifo(folder.file("pipe"), 0o600) == 0)
        #expect(throws: (any Error).self) {
            let reader = try SegmentReader(path: folder.file("pipe"))
            _ = consume reader
        }
    }

    @Test(
        "values of other types are damage, and end nothing",
        arguments: [
            "UPDATE event SET json = 5", "UPDATE event SET json = 'x'", "INSERT INTO trouble VALUES (1, 'x', 5)",
            "INSERT INTO trouble VALUES (1, x'00', x'ff')", "UPDATE counter SET value = 'x'",
            "UPDATE counter SET value = -9223372036854775808", "UPDATE message SET facts = 5, queue = x'ff'",
        ]
    )
    func types(_ statement: String) throws {
        let ledger = try LedgerFolder()
        try ledger.write([SampleEvent().line])
        try ledger.take()
        try ledger.store.write { try $0.execute(sql: statement) }
        // Each gives an answer or an error.
        _ = try? ledger.found(MessageFilter())
        _ = try? ledger.store.status(spool: ledger.spool, maximumOctets: 1, now: 0)
        _ = try? ledger.store.facts(MessageFilter()) { _ in true }
        _ = try? ledger.store.check()
        for subject in Tally.Subject.allCases { _ = try? ledger.store.tally(subject, MessageFilter(), limit: 1) }
        _ = try? Retention(ledger.store, keep: .zero, keepAnswers: .zero).apply(now: UnixTime(1 << 33))
    }

    @Test("an event of another type is said to be damage")
    func eventType() throws {
        let ledger = try LedgerFolder()
        try ledger.write([SampleEvent().line])
        try ledger.take()
        try ledger.store.write { try $0.execute(sql: "UPDATE event SET json = 5") }
        let error = #expect(throws: StoreError.self) { try ledger.found(MessageFilter()) }
        #expect(error?.description.hasPrefix("the store is damaged: ") == true)
    }

    @Test("a store without one of its indexes is damaged, and check names it")
    func missingIndex() throws {
        let ledger = try LedgerFolder()
        try ledger.store.write { try $0.execute(sql: "DROP INDEX message_sender") }
        #expect(try ledger.store.check() == ["there is no index message_sender"])
        let error = #expect(throws: StoreError.self) { try ledger.forget(.domain("gone.example")) }
        #expect(error?.description.contains("type: postern ledger check") == true)
    }

    @Test("a version that no release has is damage", arguments: ["'x'", "-1", "x'00'"])
    func version(_ value: String) throws {
        let ledger = try LedgerFolder()
        try ledger.store.write { try $0.execute(sql: "UPDATE schema SET version = \(value)") }
        #expect(throws: StoreError.self) { try Store.open(ledger.store.path, maximumOctets: 1 << 30) }
        #expect(throws: StoreError.self) { try Store.openReadOnly(ledger.store.path) }
    }

    @Test("a name that no filter gives is no segment's")
    func names() {
        #expect(SegmentName(fileName: "a\u{1B}[31m.\(LedgerFolder.boot).00000001.events") == nil)
        #expect(SegmentName(fileName: "mx1.example.\(LedgerFolder.boot).00000001.events") != nil)
    }

    @Test("a segment whose writer has died does not replace a closed one")
    func closedTwice() throws {
        let ledger = try LedgerFolder()
        let name = SegmentName(host: "mx1", boot: LedgerFolder.boot, sequence: 1)
        try ledger.write([SampleEvent(id: "A").line])
        _ = try ledger.folder.write(name.fileName(.open), Array((SampleEvent(id: "B").line + "\n").utf8))
        #expect(try ledger.spool.closeOrphans().isEmpty)
        try ledger.take()
        #expect(try ledger.found(MessageFilter()) == ["A"])
    }
}
