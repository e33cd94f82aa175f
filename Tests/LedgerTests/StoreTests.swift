import EventSpool
import GRDB
import Glibc
import MailEvents
import MailSyntax
import TestSupport
import Testing

@testable import Ledger

@Suite("The ledger's store")
struct StoreTests {
    @Test("a store of a later release is left alone by a writer, and read where it says that it can be")
    func newer() throws {
        let ledger = try LedgerFolder()
        let path = ledger.store.path
        try ledger.write([SampleEvent().line])
        try ledger.take()
        try ledger.store.write {
            try $0.execute(sql: "UPDATE schema SET version = 9; ALTER TABLE message ADD COLUMN new")
        }
        #expect(throws: StoreError.newer(path: path, version: 9)) { try Store.open(path, maximumOctets: 1 << 30) }
        var found = [String?]()
        try Store.openReadOnly(path).events(MessageFilter(), limit: nil) {
            found.append($0.event.id)
            return true
        }
        #expect(found == ["4XyZ1"])
        try ledger.store.write { try $0.execute(sql: "UPDATE schema SET reader = 9") }
        #expect(throws: StoreError.newer(path: path, version: 9)) { try Store.openReadOnly(path) }
    }

    @Test("what is no store")
    func strange() throws {
        let folder = try Folder()
        #expect(throws: StoreError.absent(path: folder.file("none"))) { try Store.openReadOnly(folder.file("none")) }
        let text = try folder.write("text", Array(repeating: 0x61, count: 5000))
        #expect(throws: StoreError.self) { try Store.openReadOnly(text) }
        #expect(throws: StoreError.self) { try Store.open(text, maximumOctets: 1 << 30) }
        let empty = try folder.write("empty", [])
        #expect(throws: StoreError.absent(path: empty)) { try Store.openReadOnly(empty) }
    }

    @Test("messages go by age, with all that belongs to them")
    func age() throws {
        let ledger = try LedgerFolder()
        try ledger.write(
            (0..<10).map { SampleEvent(time: SampleEvent.noon + Double($0), id: "Q\($0)", spf: "fail").line }
        )
        try ledger.take()
        let now = UnixTime(Int64(SampleEvent.noon) + 100)
        let removed = try Retention(ledger.store, keep: .seconds(93), keepAnswers: .zero).apply(now: now)
        #expect(removed == 7)
        #expect(try ledger.found(MessageFilter()) == ["Q9", "Q8", "Q7"])
        #expect(try ledger.store.check().isEmpty)
        try Retention(ledger.store, keep: .seconds(1), keepAnswers: .zero).apply(now: now)
        for table in ["message", "event", "answer", "recipient", "tag", "word"] {
            #expect(
                try ledger.store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") } == 0,
                "\(table)"
            )
        }
    }

    @Test("the file stays under its limit, and the newest messages are there")
    func room() throws {
        let limit = 24 << 20
        let ledger = try LedgerFolder(maximumOctets: limit)
        let retention = Retention(ledger.store, keep: .seconds(1 << 40), keepAnswers: .seconds(1 << 40))
        for sequence in 1...12 {
            let first = sequence * 1000
            try ledger.write(
                (0..<1000).map { SampleEvent(time: SampleEvent.noon + Double(first + $0), id: "Q\(first + $0)").line },
                sequence: sequence
            )
            try ledger.take()
            try retention.apply(now: 0)
            #expect(try ledger.store.read { try $0.fileOctets() } <= limit)
        }
        #expect(try ledger.found(MessageFilter(), limit: 1) == ["Q12999"])
        let status = try ledger.store.status(spool: ledger.spool, maximumOctets: limit, now: 0)
        #expect(status.taken == 12_000)
        #expect(status.removed > 0)
        #expect(try ledger.store.check().isEmpty)
    }

    @Test("room is made before each segment, however many wait")
    func backlog() throws {
        let ledger = try LedgerFolder(maximumOctets: 20 << 20)
        for sequence in 1...12 {
            let first = sequence * 1000
            try ledger.write(
                (0..<1000).map { SampleEvent(time: SampleEvent.noon + Double(first + $0), id: "Q\(first + $0)").line },
                sequence: sequence
            )
        }
        let retention = Retention(ledger.store, keep: .seconds(1 << 40), keepAnswers: .seconds(1 << 40))
        try Intake(ledger.store, from: ledger.spool, retention: retention) { _ in [] }.run(notBefore: 0)
        #expect(try ledger.spool.segments().isEmpty)
        #expect(try ledger.found(MessageFilter(), limit: 1) == ["Q12999"])
        #expect(try ledger.store.check().isEmpty)
    }

    @Test("a full store is an error, and takes nothing of the segment in")
    func full() throws {
        let ledger = try LedgerFolder(maximumOctets: 256 << 10)
        try ledger.write((0..<1000).map { SampleEvent(id: "Q\($0)").line })
        #expect(throws: StoreError.full) { try ledger.take() }
        #expect(try ledger.found(MessageFilter()).isEmpty)
        #expect(try ledger.spool.segments().count == 1)
    }

    @Test("a lowered limit makes the file smaller")
    func shrink() throws {
        let ledger = try LedgerFolder()
        for sequence in 1...20 {
            try ledger.write((0..<1000).map { SampleEvent(id: "Q\($0)").line }, sequence: sequence)
        }
        try ledger.take()
        let limit = 20 << 20
        let store = try Store.open(ledger.store.path, maximumOctets: limit)
        try Retention(store, keep: .seconds(1 << 40), keepAnswers: .seconds(1 << 40)).apply(now: 0)
        #expect(try store.read { try $0.fileOctets() } <= limit)
    }

    @Test("what is forgotten is nowhere in the file")
    func forget() throws {
        let ledger = try LedgerFolder()
        try ledger.write([
            SampleEvent(id: "A", author: "gone.example", sender: "Secret.Name@gone.example").line,
            SampleEvent(id: "B", recipients: ["x@example.net", "secret.name@Gone.example"]).line,
            SampleEvent(id: "C", refused: ["secret.name@gone.example"]).line,
            SampleEvent(id: "D").line, SampleEvent(id: "E", author: "gone.example").line,
        ])
        try ledger.take()
        #expect(try ledger.forget(MessageFilter.Address("secret.name@gone.example")) == 3)
        #expect(try ledger.found(MessageFilter()).sorted() == ["D", "E"])
        for file in ["ledger.sqlite", "ledger.sqlite-wal"] where ledger.exists(file) {
            #expect(try !contents(ledger.folder.file(file)).contains("secret.name@"))
        }
        #expect(try ledger.forget(.domain("gone.example")) == 1)
        #expect(try ledger.found(MessageFilter()) == ["D"])
        #expect(try ledger.store.check().isEmpty)
    }

    @Test(
        "a domain is forgotten in whichever spelling it stands",
        arguments: ["bücher.example", "xn--bcher-kva.example"]
    )
    func forgetInternational(_ domain: String) throws {
        let ledger = try LedgerFolder()
        try ledger.write([
            SampleEvent(id: "A", sender: "a@bücher.example").line,
            SampleEvent(id: "B", sender: "a@BÜCHER.example").line,
            SampleEvent(id: "C", recipients: ["x@example.net", "b@bu\u{308}cher.example"]).line,
            SampleEvent(id: "D", sender: "a@xn--bcher-kva.example").line,
            SampleEvent(id: "E", dkimProblem: "no key for c@bücher.example").line,
            SampleEvent(id: "F", sender: "a@bücherei.example").line, SampleEvent(id: "G").line,
        ])
        try ledger.take()
        #expect(try ledger.forget(MessageFilter.Address("A@\(domain)")) == 3)
        #expect(try ledger.found(MessageFilter()).sorted() == ["C", "E", "F", "G"])
        #expect(try ledger.forget(.domain(domain)) == 2)
        #expect(try ledger.found(MessageFilter()).sorted() == ["F", "G"])
    }

    @Test("a long address keeps its domain")
    func longAddress() {
        let key = AddressKey.key(String(repeating: "x", count: 600) + "@Gone.example")
        #expect(key.utf8.count == 512 && key.hasPrefix("gone.example@xxx"))
        #expect(AddressKey.key("A@b.example") == "b.example@a" && AddressKey.key("Ann") == "@ann")
    }

    @Test("the words of what is forgotten go too")
    func forgetWords() throws {
        let ledger = try LedgerFolder()
        let problem = "no key at r._domainkey.gone.example"
        let mail = SampleEvent(id: "A", sender: "a@gone.example", dkimProblem: problem)
        try ledger.write([mail.line, SampleEvent().line])
        try ledger.take()
        #expect(try contents(ledger.folder.file("ledger.sqlite-wal")).contains(problem))
        #expect(try ledger.forget(.domain("gone.example")) == 1)
        #expect(try !contents(ledger.folder.file("ledger.sqlite")).contains("gone.example"))
    }

    @Test("what somebody still reads is said to stay")
    func forgetBesideReader() throws {
        let ledger = try LedgerFolder()
        try ledger.write([SampleEvent(id: "A", sender: "a@gone.example").line])
        try ledger.take()
        let reader = try Store.openReadOnly(ledger.store.path)
        try reader.database.inDatabase { database in
            try database.execute(sql: "PRAGMA busy_timeout = 1")
            try database.inTransaction {
                _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM message")
                try ledger.store.database.inDatabase { try $0.execute(sql: "PRAGMA busy_timeout = 1") }
                _ = try ledger.store.forget(ledger.store.messages(mentioning: .domain("gone.example")))
                #expect(try !ledger.store.clearLog())
                return .commit
            }
        }
        #expect(try ledger.store.clearLog())
    }

    @Test("a store that was replaced or removed is not in place")
    func inPlace() throws {
        let ledger = try LedgerFolder()
        #expect(ledger.store.isInPlace)
        unsafe rename(ledger.store.path, ledger.store.path + ".old")
        #expect(!ledger.store.isInPlace)
        _ = try ledger.folder.write("ledger.sqlite", [])
        #expect(!ledger.store.isInPlace)
    }

    @Test("an address is found anywhere in an event, and not within a longer one")
    func mention() throws {
        let ann = try #require(Mention(.address("Ann@gone.example")))
        #expect(ann.isIn(Array(#"{"pra":"ann@gone.example"}"#.utf8)))
        #expect(ann.isIn(Array(#"mailfrom=ANN@gone.example. See"#.utf8)))
        #expect(ann.isIn(Array(#"\u000aann@gone.example"#.utf8)))
        #expect(ann.isIn(Array("joann@gone.example ann@gone.example".utf8)))
        for other in ["joann@gone.example", "jo.ann@gone.example", "ann@gone.example.org", "ann@gone.example-a"] {
            #expect(!ann.isIn(Array(other.utf8)))
        }
        let domain = try #require(Mention(.domain("gone.example")))
        #expect(domain.isIn(Array("joann@gone.example".utf8)) && !domain.isIn(Array("gone.example".utf8)))
        #expect(try #require(Mention(.address(#"a"b@c.example"#))).isIn(Array(#"x a\u0022b@c.example"#.utf8)))
        #expect(Mention(.address("")) == nil)
    }

    private func contents(_ path: String) throws -> String {
        var reader = try SegmentReader(path: path, limit: 1 << 30)
        var text = ""
        while let line = try reader.next() {
            if case .whole(let octets) = line { text += octets.text.lowercased() }
        }
        return text
    }

    @Test("a copy has all messages")
    func backup() throws {
        let ledger = try LedgerFolder()
        try ledger.write([SampleEvent().line])
        try ledger.take()
        let copy = ledger.folder.file("copy")
        try Store.openReadOnly(ledger.store.path).backup(to: copy)
        #expect(try Store.openReadOnly(copy).check().isEmpty)
        #expect(throws: StoreError.self) { try ledger.store.backup(to: copy) }
    }

    @Test("what is broken is seen")
    func broken() throws {
        let ledger = try LedgerFolder()
        try ledger.write([SampleEvent().line])
        try ledger.take()
        try ledger.store.write { try $0.execute(sql: "DELETE FROM message") }
        #expect(
            try ledger.store.check() == ["messages: 0 instead of 1", "recipients without a message: 1 instead of 0"]
        )
    }
}
