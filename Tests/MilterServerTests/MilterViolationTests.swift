import MilterProtocol
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
}
