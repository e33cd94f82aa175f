import MilterProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import MilterServer

@Suite("What does not speak the protocol")
struct MilterViolationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let stream: [UInt8]
        var log = ["close"]
    }

    static let greeting = offer + packet("C", "x\0U") + packet("M", "<>\0")
    static let abortedLog = ["connect x unknown ", "mail <>", "abort", "close"]

    static let cases: [Case] = [
        Case(testDescription: "HTTP", stream: octets("GET / HTTP/1.1\r\nHost: x\r\n\r\n")),
        Case(testDescription: "TLS", stream: [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3]),
        Case(testDescription: "zeros", stream: [UInt8](repeating: 0, count: 100)),
        Case(testDescription: "an unknown command first", stream: packet("?")),
        Case(testDescription: "MAIL first", stream: packet("M", "<>\0")),
        Case(testDescription: "a short offer", stream: packet("O", "\0\0\0\u{6}")),
        Case(testDescription: "an offer of version 1", stream: packet("O", "\0\0\0\u{1}\0\0\0\0\0\0\0\0")),
        Case(testDescription: "an unknown command", stream: greeting + packet("?"), log: abortedLog),
        Case(testDescription: "a packet beyond the cap", stream: greeting + [0, 0x10, 0, 1, 0x42], log: abortedLog),
        Case(testDescription: "an empty packet", stream: greeting + [0, 0, 0, 0], log: abortedLog),
        Case(testDescription: "a field without value", stream: greeting + packet("L", "From"), log: abortedLog),
        Case(
            testDescription: "MAIL without argument",
            stream: offer + packet("C", "x\0U") + packet("M"),
            log: ["connect x unknown ", "abort", "close"]
        ),
        Case(testDescription: "CONNECT without family", stream: offer + packet("C", "x\0")),
        Case(
            testDescription: "a command in the wrong place, and what follows it",
            stream: offer + packet("C", "x\0U") + packet("B", "x") + packet("M", "<>\0"),
            log: ["connect x unknown ", "close"]
        ),
    ]

    @Test("is closed quietly and counted", arguments: cases)
    func violation(_ test: Case) throws {
        let session = try EmbeddedSession()
        session.send(test.stream)
        #expect(session.script.log == test.log)
        #expect(!session.channel.isActive)
        #expect(session.registry.statistics.violations == 1)
        #expect(session.replies().allSatisfy { $0.hasPrefix("O") || $0 == "c" })
    }

    @Test("every octet as a command, with and without data, in every state")
    func commands() throws {
        let prefixes: [[UInt8]] = [[], offer, offer + packet("C", "x\0U"), Self.greeting, Self.greeting + packet("N")]
        let payloads: [[UInt8]] = [[], [0], [0x41], [0, 0, 0, 6], [UInt8](repeating: 0xFF, count: 300)]
        for prefix in prefixes {
            for command in UInt8.min...UInt8.max {
                for data in payloads {
                    let session = try EmbeddedSession()
                    let length = data.count + 1
                    session.send(prefix + [0, 0, UInt8(length >> 8), UInt8(length & 0xFF), command] + data)
                    session.send(packet("Q"))
                    #expect(!session.channel.isActive, "\(command) \(data.count)")
                    #expect(session.script.log.last == "close")
                }
            }
        }
    }

    /// The same numbers every time (xorshift).
    struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }

    @Test("damaged streams, in pieces", arguments: UInt64(1)...20)
    func damaged(_ seed: UInt64) throws {
        var numbers = Numbers(state: seed &* 0x9E37_79B9_7F4A_7C15)
        let parts = [
            Self.greeting, packet("D", "Mi\0x\0"), packet("R", "<a>\0"), packet("T"), packet("L", "A\0 b\0"),
            packet("N"),
            packet("B", "x"), packet("E", "y"), packet("A"), packet("K"), packet("U", "z\0"),
            packet("M", "<>\0SIZE=1\0"),
        ]
        for _ in 0..<200 {
            let session = try EmbeddedSession()
            session.script.deferred = Bool.random(using: &numbers) ? [.endOfMessage] : []
            session.script.whenAsked = { answer in
                if Bool.random(using: &numbers) { answer.complete(.reject) }
            }
            var stream = Self.greeting + (0..<20).flatMap { _ in parts.randomElement(using: &numbers) ?? [] }
            for _ in 0..<Int.random(in: 0...3, using: &numbers) {
                let index = Int.random(in: stream.indices, using: &numbers)
                stream[index] = UInt8.random(in: 0...255, using: &numbers)
            }
            while !stream.isEmpty {
                let count = Int.random(in: 1...stream.count, using: &numbers)
                session.send(Array(stream.prefix(count)))
                stream.removeFirst(count)
            }
            session.channel.pipeline.fireChannelInactive()
            // Whatever it was, the handler hears of the end once, and last.
            #expect(session.script.log.last == "close")
            let restarts = session.script.log.filter { $0 == "close" }.count
            #expect(restarts <= 21)
        }
    }
}
