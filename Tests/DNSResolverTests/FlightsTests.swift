import DNSLookup
import MailSyntax
import Testing

@testable import DNSResolver

/// What happens to one question as a script, and what is to be done.
///
/// `1 asks` (with `has stale` when the cache has an old answer, `after N` questions of its message), `1 leaves`, `9 ahead`,
/// `1 sent`, `1 answered`, `1 without room`, `1 late`: the number is that of the waiter or of the flight.
struct FlightScript: Sendable, CustomTestStringConvertible {
    let name: String
    let lines: String

    var testDescription: String { name }

    private static func answer(_ text: String) throws -> DNSAnswer {
        let question = DNSQuestion(try DomainName("a.example"), .txt)
        return DNSAnswer(question, records: [.txt(Array(text.utf8))], timeToLive: 300)
    }

    /// The lines with what the flights really say.
    func played() throws -> String {
        var flights = Flights()
        let key = CacheKey(DNSQuestion(try DomainName("a.example"), .txt))
        let stale = try Self.answer("old")
        var played = [String]()
        for line in lines.split(separator: "\n").dropLast() {
            let command = line.split(separator: " -> ").first.map(String.init) ?? ""
            let words = command.split(separator: " ").map(String.init)
            let number = UInt64(words[0]) ?? 0
            let said: String
            switch words[1] {
            case "asks":
                let asked = words.contains("after") ? words.last.flatMap { Int($0) } ?? 0 : 0
                let waiter = Waiter(number: number) { _ in }
                said = Self.text(
                    flights.join(key, waiter, asked: asked, stale: words.contains("stale") ? stale : nil)
                )
            case "leaves": said = Self.text(flights.leave(key, number))
            case "ahead": said = flights.fetchAhead(key, number) ? "start" : "nothing"
            case "sent": said = flights.note(QueryHandle(loop: 0, number: number), key, number) ? "noted" : "cancel"
            case "answered": said = Self.text(flights.land(key, number, lacksRoom: false))
            case "without": said = Self.text(flights.land(key, number, lacksRoom: true))
            default: said = flights.serveStale(key, number).map { "stale to \(Self.text($0.waiters))" } ?? "nothing"
            }
            played.append("\(command) -> \(said)")
        }
        played.append("out \(flights.count) misses \(flights.misses) joins \(flights.joins)")
        return played.joined(separator: "\n")
    }

    private static func text(_ waiters: Waiters) -> String {
        waiters.isEmpty ? "nobody" : waiters.all.map { "\($0.number)" }.sorted().joined(separator: " ")
    }

    private static func text(_ joining: Flights.Joining) -> String {
        switch joining {
        case .answered(let reply): "\(reply.source)"
        case .waits(let handle): handle.map { "wait for query \($0.number)" } ?? "wait"
        case .starts: "start"
        }
    }

    private static func text(_ leaving: Flights.Leaving?) -> String {
        guard let leaving else { return "nothing" }
        return leaving.isLast ? "the last of \(leaving.handle.map { "query \($0.number)" } ?? "no query")" : "gone"
    }

    private static func text(_ landing: Flights.Landing) -> String {
        switch landing {
        case .unknown: "nothing"
        case .landed(let waiters, let stale): (stale == nil ? "to " : "or stale to ") + text(waiters)
        case .again(let number, let asked): "start \(number) after \(asked)"
        }
    }
}

@Suite("Questions that are out")
struct FlightsTests {
    static let scripts = [
        FlightScript(
            name: "those who ask the same share a query",
            lines: """
                1 asks -> start
                2 asks -> wait
                1 sent -> noted
                3 asks -> wait for query 1
                1 answered -> to 1 2 3
                1 answered -> nothing
                4 asks -> start
                out 1 misses 2 joins 2
                """
        ),
        FlightScript(
            name: "the last who leaves takes the question along",
            lines: """
                1 asks -> start
                1 sent -> noted
                2 asks -> wait for query 1
                1 leaves -> gone
                1 leaves -> nothing
                2 leaves -> the last of query 1
                1 answered -> nothing
                out 0 misses 1 joins 1
                """
        ),
        FlightScript(
            name: "a query that is not known yet is cancelled once it is",
            lines: """
                1 asks -> start
                1 leaves -> the last of no query
                1 sent -> cancel
                out 0 misses 1 joins 0
                """
        ),
        FlightScript(
            name: "what is said of an earlier flight changes nothing",
            lines: """
                1 asks -> start
                1 leaves -> the last of no query
                2 asks -> start
                1 sent -> cancel
                1 answered -> nothing
                1 late -> nothing
                2 answered -> to 2
                out 0 misses 2 joins 0
                """
        ),
        FlightScript(
            name: "a question that was sent ahead goes on without waiters, and is not sent twice",
            lines: """
                9 ahead -> start
                9 sent -> noted
                8 ahead -> nothing
                1 asks -> wait for query 9
                1 leaves -> gone
                9 answered -> to nobody
                out 0 misses 0 joins 1
                """
        ),
        FlightScript(
            name: "who has joined a question that was sent ahead has a place to wait for room, and asks but once",
            lines: """
                9 ahead -> start
                9 sent -> noted
                1 asks after 7 -> wait for query 9
                2 asks after 3 -> wait for query 9
                9 without room -> start 1 after 3
                9 sent -> cancel
                9 answered -> nothing
                1 sent -> noted
                3 asks -> wait for query 1
                1 without room -> to 1 2 3
                out 0 misses 0 joins 3
                """
        ),
        FlightScript(
            name: "after a question that nobody has joined found no room, the next who asks sends one",
            lines: """
                9 ahead -> start
                9 without room -> to nobody
                1 asks -> start
                out 1 misses 1 joins 0
                """
        ),
        FlightScript(
            name: "a question for which there is no place to wait is not sent again",
            lines: """
                1 asks -> start
                1 without room -> to 1
                out 0 misses 1 joins 0
                """
        ),
        FlightScript(
            name: "RFC 8767 § 5: the stale answer to those who have waited and those who come, and the query goes on",
            lines: """
                1 asks has stale -> start
                1 sent -> noted
                2 asks has stale -> wait for query 1
                1 late -> stale to 1 2
                3 asks has stale -> stale
                1 leaves -> nothing
                1 answered -> or stale to nobody
                out 0 misses 1 joins 2
                """
        ),
        FlightScript(
            name: "the stale answer in the place of a failure",
            lines: """
                1 asks has stale -> start
                1 answered -> or stale to 1
                1 late -> nothing
                out 0 misses 1 joins 0
                """
        ),
        FlightScript(
            name: "without a stale answer there is nothing to serve late",
            lines: """
                1 asks -> start
                1 late -> nothing
                2 asks -> wait
                1 answered -> to 1 2
                out 0 misses 1 joins 1
                """
        ),
    ]

    @Test("a question as it is scripted", arguments: scripts)
    func plays(_ script: FlightScript) throws {
        #expect(try script.played() == script.lines)
    }
}
