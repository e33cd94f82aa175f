import NIOCore
import Testing

@testable import DNSResolver

/// What happens to a server, with the seconds when, and what is made of it in the end.
struct WatchCase: Sendable, CustomTestStringConvertible {
    enum Event: Sendable {
        case sent(Double), heard(Double), answered(Double), failed(Double), closed(Double)
        /// Time is looked at; whether our own question is sent then.
        case tick(Double, Bool)
        /// A reply to our own question.
        case probe(useful: Bool)
    }

    let testDescription: String
    let events: [Event]
    let isDown: Bool
    let isFailing: Bool

    init(_ description: String, _ events: [Event], down: Bool = false, failing: Bool = false) {
        testDescription = description
        self.events = events
        isDown = down
        isFailing = failing
    }
}

@Suite("Whether a server is there")
struct ServerWatchTests {
    static let cases: [WatchCase] = [
        WatchCase("nothing is asked", [.tick(0, false), .tick(9, false)]),
        WatchCase("silence of less than a second", [.sent(0), .tick(0.9, false)]),
        WatchCase(
            "three seconds, our own question unanswered",
            [.sent(0), .tick(1, true), .tick(2, true), .tick(3, true)],
            down: true
        ),
        WatchCase(
            "five seconds in which this host was too busy to hear it are not silence",
            [.sent(0), .tick(1, true), .tick(6, true), .tick(6.5, true)]
        ),
        WatchCase(
            "and it is down when the rest is silence as well",
            [.sent(0), .tick(1, true), .tick(6, true), .tick(6.5, true), .tick(7, true)],
            down: true
        ),
        WatchCase(
            "time that nobody had a reason to look at is no such delay",
            [.tick(0, false), .sent(10), .failed(13), .tick(13, true), .tick(14, true)],
            down: true
        ),
        WatchCase("three seconds, our own question just sent", [.sent(0), .tick(3, true)]),
        WatchCase("our own question answered", [.sent(0), .tick(1, true), .probe(useful: true), .tick(3.5, false)]),
        WatchCase(
            "names are silent, one after the other",
            [
                .sent(0), .tick(1, true), .probe(useful: true), .sent(1.5), .tick(2.5, true), .probe(useful: true),
                .sent(3), .tick(3.5, false), .tick(4, true), .probe(useful: true), .tick(9, false),
            ]
        ),
        WatchCase("something else is heard", [.sent(0), .tick(1, true), .sent(1.5), .heard(2), .tick(3, false)]),
        WatchCase(
            "an earlier question of ours does not count",
            [.sent(0), .tick(1, true), .heard(1.5), .sent(10), .tick(10.5, false), .tick(13, true)]
        ),
        WatchCase("a closed port", [.sent(0), .closed(0), .tick(0, true), .tick(0.5, true)], down: true),
        WatchCase(
            "a closed port, and it is back",
            [.closed(0), .tick(0, true), .probe(useful: true), .tick(1, false)]
        ),
        WatchCase("a closed port, and something else answers", [.closed(0), .answered(1), .tick(1, false)]),
        WatchCase(
            "a closed port, and it refuses now",
            [.closed(0), .tick(0, true), .probe(useful: false)],
            failing: true
        ),
        WatchCase(
            "five failures, and our own question answered",
            [
                .failed(0), .failed(0), .failed(0), .failed(0), .tick(0, false), .failed(0), .tick(0, true),
                .probe(useful: true), .tick(4.9, false), .tick(5, true),
            ]
        ),
        WatchCase(
            "five failures, and our own question refused",
            [
                .failed(0), .failed(0), .failed(0), .failed(0), .failed(0), .tick(0, true), .probe(useful: false),
                .tick(4.9, false), .tick(5, true),
            ],
            failing: true
        ),
        WatchCase(
            "five failures with an answer between them",
            [.failed(0), .failed(0), .failed(0), .answered(0), .failed(0), .failed(0), .tick(9, false)]
        ),
    ]

    @Test("by what happens to it", arguments: cases)
    func watch(_ row: WatchCase) {
        let start = NIODeadline.now()
        func time(_ seconds: Double) -> NIODeadline { start + .milliseconds(Int64(seconds * 1000)) }
        var watch = ServerWatch()
        for event in row.events {
            switch event {
            case .sent(let seconds): watch.sent(at: time(seconds))
            case .heard: watch.heard()
            case .answered: watch.answered()
            case .failed: watch.failed()
            case .closed(let seconds): watch.closed(at: time(seconds))
            case .tick(let seconds, let isProbed): #expect(watch.tick(at: time(seconds)) == isProbed, "\(event)")
            case .probe(let isUseful): watch.probeReplied(isUseful: isUseful)
            }
        }
        #expect((watch.downSince != nil) == row.isDown)
        #expect(watch.isFailing == row.isFailing)
    }
}
