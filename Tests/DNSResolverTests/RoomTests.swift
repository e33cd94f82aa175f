import MailSyntax
import NIOCore
import Testing

@testable import DNSResolver

/// Guests come and go by their numbers; time is counted in milliseconds.
private struct House {
    private static let start = NIODeadline.now()

    var room: Room
    private var next: UInt64 = 0

    init(inside: Int = 1024, waiting: Int = 8000, patience: TimeAmount = .seconds(20)) {
        room = Room(Room.Size(inside: inside, waiting: waiting, patience: patience))
    }

    static func time(_ milliseconds: Int64) -> NIODeadline { start + .milliseconds(milliseconds) }

    static func handle(_ number: UInt64) -> QueryHandle { QueryHandle(loop: 0, number: number) }

    /// Somebody asks about a name; nil when there is not even room to wait.
    mutating func enter(
        _ name: String,
        asked: Int = 0,
        isOptional: Bool = false,
        at time: Int64 = 0
    ) throws -> (number: UInt64, admission: Room.Admission) {
        next += 1
        let admission = room.enter(
            Self.handle(next),
            about: try DomainName(name),
            asked: asked,
            isOptional: isOptional,
            at: Self.time(time)
        )
        return (next, admission)
    }

    /// How many of those who ask about these names are let in at once.
    mutating func enter(_ names: [String]) throws -> [UInt64] {
        var begun = [UInt64]()
        for name in names {
            let (number, admission) = try enter(name)
            if admission == .begins { begun.append(number) }
        }
        return begun
    }

    mutating func leave(_ number: UInt64, isAnswered: Bool = false) -> [UInt64] {
        room.leave(Self.handle(number), isAnswered: isAnswered).begin.map(\.number)
    }

    mutating func linger(_ number: UInt64, at time: Int64 = 1000) -> Room.Turn {
        room.linger(Self.handle(number), at: Self.time(time))
    }

    mutating func tick(_ time: Int64) -> Room.Turn { room.tick(at: Self.time(time)) }
}

@Suite("Room for lookups")
struct RoomTests {
    private static func names(_ count: Int, in suffix: String) -> [String] { (0..<count).map { "n\($0).\(suffix)" } }

    @Test("no message gets its ninth question before every waiting one has its eighth")
    func rounds() throws {
        var house = House(inside: 1)
        let first = try house.enter("x0.example").number
        var numbers: [UInt64: Int] = [:]
        // One message wants twenty questions, and another, which comes later, eight.
        for (message, count) in [(1, 20), (2, 8)] {
            for asked in 0..<count {
                let (number, admission) = try house.enter("x\(message)-\(asked).test\(asked)", asked: asked)
                #expect(admission == .waits)
                numbers[number] = message
            }
        }
        var order = [Int]()
        var last = first
        while let number = house.leave(last, isAnswered: true).first {
            order.append(numbers[number] ?? 0)
            last = number
        }
        #expect(order == Array(repeating: 1, count: 8) + Array(repeating: 2, count: 8) + Array(repeating: 1, count: 12))
        #expect(house.room.waitingCount == 0)
        #expect(house.room.unserved == 0)
    }

    @Test("a suffix of two labels with four unanswered questions gets one at a time")
    func silentSuffix() throws {
        var house = House()
        let begun = try house.enter(Self.names(100, in: "silent.example"))
        #expect(begun.count == 4)
        // Others are not held up.
        #expect(try house.enter("a.other.example".split(separator: " ").map(String.init)).count == 1)
        var turns = [Int]()
        var out = begun
        for second in 1...10 {
            var next = [UInt64]()
            for number in out { next += house.linger(number, at: Int64(second) * 1000).begin.map(\.number) }
            turns.append(next.count)
            out = next
        }
        #expect(turns == Array(repeating: 1, count: 10))
    }

    @Test("a suffix whose questions are answered is not held")
    func answeredSuffix() throws {
        var house = House()
        var out = try house.enter(Self.names(1000, in: "large.example"))
        var rounds = 0
        var answered = 0
        while !out.isEmpty {
            rounds += 1
            answered += out.count
            out = out.flatMap { house.leave($0, isAnswered: true) }
        }
        #expect(answered == 1000)
        // Four, eight, sixteen…
        #expect(rounds == 8)
    }

    @Test("a suffix that many share is not closed by one of them")
    func sharedSuffix() throws {
        var house = House()
        let silent = try house.enter(Self.names(100, in: "silent.co.uk"))
        #expect(silent.count == 4)
        for number in silent { _ = house.linger(number) }
        // One silence counts against all of co.uk, and one question of the silent names is out again.
        #expect(try house.enter(["good.co.uk"]).count == 1)
        var out = try house.enter((0..<50).map { "good\($0).co.uk" })
        #expect(out.isEmpty)
        out = house.leave(106, isAnswered: true)
        #expect(!out.isEmpty)
    }

    @Test(
        "reverse names share with their own network only",
        arguments: [
            ("1.2.0.192.in-addr.arpa", "1.2.0.193.in-addr.arpa"),
            (
                "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.9.b.d.0.1.0.0.2.ip6.arpa"
            ),
        ]
    )
    func reverse(_ pair: (String, String)) throws {
        var house = House()
        let name = try DomainName(pair.0)
        for octet in 0..<10 {
            let label = Octets("\(octet)")
            let sibling = try #require(name.parent).child(label)
            _ = try house.enter("\(sibling)")
        }
        #expect(try house.enter([pair.0]).isEmpty)
        #expect(try house.enter([pair.1]).count == 1)
    }

    @Test("a question that stays unanswered makes room for others, and ends early where many are such")
    func lateOnes() throws {
        var house = House(inside: 2)
        let begun = try house.enter(["a.one.example", "a.two.example", "a.three.example"])
        #expect(begun == [1, 2])
        #expect(house.linger(1) == Room.Turn(begin: [House.handle(3)]))
        #expect(house.linger(2) == Room.Turn())
        #expect(house.linger(3) == Room.Turn(end: [House.handle(1)]))
        #expect(house.room.unserved == 1)
        #expect(house.leave(1).isEmpty)
        // A late answer is an answer.
        #expect(house.leave(2, isAnswered: true).isEmpty)
    }

    @Test("who waits for too long has to end, and one that gives up takes no turn")
    func patience() throws {
        var house = House(inside: 1, patience: .seconds(5))
        _ = try house.enter("a.example")
        let gone = try house.enter("b.test", at: 0).number
        let old = try house.enter("c.invalid", at: 1000).number
        let young = try house.enter("d.localhost", at: 2000).number
        _ = house.leave(gone)
        #expect(house.tick(5999) == Room.Turn())
        #expect(house.tick(6000) == Room.Turn(end: [House.handle(old)]))
        #expect(house.leave(old).isEmpty)
        #expect(house.leave(1) == [young])
        #expect(house.room.unserved == 2)
        #expect(house.room.waitingCount == 0)
    }

    @Test("the first eight questions of a message find a place to wait, however many wait")
    func placesToWait() throws {
        var house = House(inside: 1, waiting: 2)
        _ = try house.enter("a.example")
        for number in 0..<2 { #expect(try house.enter("n\(number).test", asked: 8).admission == .waits) }
        #expect(try house.enter("m.test", asked: 8).admission == .refused)
        #expect(try house.enter("m.test", asked: 7).admission == .waits)
        #expect(try house.enter("m.test", isOptional: true).admission == .refused)
        #expect(house.room.unserved == 1)
    }

    @Test("who joins a waiting question may bring it forward")
    func joining() throws {
        var house = House(inside: 1)
        _ = try house.enter("a.example")
        let late = try house.enter("b.test", asked: 30).number
        let early = try house.enter("c.invalid", asked: 9).number
        house.room.join(House.handle(late), asked: 3)
        house.room.join(House.handle(late), asked: 20)
        #expect(house.leave(1) == [late])
        #expect(house.leave(late) == [early])
        #expect(house.leave(early).isEmpty)
    }

    @Test("silence is forgotten after a minute")
    func forgiving() throws {
        var house = House()
        let begun = try house.enter(Self.names(4, in: "silent.example"))
        for number in begun { _ = house.linger(number, at: 1000) }
        for number in begun { _ = house.leave(number) }
        #expect(try house.enter(Self.names(9, in: "silent.example")).count == 1)
        for number: UInt64 in 5...13 { _ = house.leave(number) }
        _ = house.tick(61_001)
        #expect(try house.enter(Self.names(9, in: "silent.example")).count == 4)
    }

    @Test("20,000 questions that give up in any order cost little, and leave nothing behind")
    func crowd() throws {
        var house = House(inside: 16)
        var waiting = [UInt64]()
        for number in 0..<20_000 {
            let entry = try house.enter("a\(number % 97).n\(number % 1009).example", asked: number % 7)
            waiting.append(entry.number)
        }
        // From the middle outwards.
        for offset in 0..<10_000 {
            _ = house.leave(waiting[10_000 + offset])
            _ = house.leave(waiting[9_999 - offset])
        }
        #expect(house.room.waitingCount == 0)
        #expect(house.room.gateCount == 1)
    }

    @Test("waiting is told of once, and its end once it has been quiet for a while")
    func telling() {
        var crowd = Crowd()
        var changes = [Crowd.Change?]()
        let waits: [Int64] = [0, 500, 1000, 20_000, 0, 1500, 0, 0, 0]
        let times: [Int64] = [0, 1, 2, 22, 30, 45, 46, 74, 76]
        for (wait, time) in zip(waits, times) {
            changes.append(
                crowd.tick(longestWait: .milliseconds(wait), unserved: Int(time), at: House.time(time * 1000))
            )
        }
        let end = Crowd.Change.ended(after: .seconds(43), unserved: 74)
        #expect(changes == [nil, nil, .began, nil, nil, nil, nil, nil, end])
        #expect(!crowd.isCrowded)
    }
}
