import Logging
import MilterProtocol
import NIOEmbedded
import Testing

@testable import MilterServer

@Suite("Memory that sessions share")
struct MemoryTests {
    private func memory(_ limit: Int) -> SessionMemory {
        SessionMemory(limit: limit, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("a little is free, the rest is taken by pieces while there is room, and all is given back")
    func shares() {
        let memory = memory(40_000)
        do {
            var first = MemoryShare(of: memory)
            var second = MemoryShare(of: memory)
            #expect(first.hold(8192) && second.hold(8192) && memory.octets == 0)
            #expect(first.hold(8193) && memory.octets == 16_384)
            #expect(first.hold(24_576) && memory.octets == 16_384)
            #expect(second.hold(8193) && memory.octets == 32_768)
            #expect(!first.hold(24_577) && memory.octets == 32_768 && memory.shortages == 1)
            #expect(second.hold(0) && first.hold(24_577) && memory.octets == 32_768)
            second.mustHold(100_000)
            #expect(memory.octets == 32_768 + 98_304 && memory.shortages == 1)
        }
        #expect(memory.octets == 0)
    }

    private let envelope = packet("C", "x\0U") + packet("M", "<>\0") + packet("R", "<a>\0")
    private let ending = packet("L", "b\0c\0") + packet("N") + packet("B", "x") + packet("E")

    /// The replies to packets that come in two parts each.
    private func replies(_ session: EmbeddedSession, _ stream: [UInt8]) -> [String] {
        session.send(Array(stream.prefix(stream.count / 2)))
        session.send(Array(stream.dropFirst(stream.count / 2)))
        return session.replies()
    }

    @Test("a header for which there is no room fails its message for now, and only that", arguments: [true, false])
    func header(isAnswered: Bool) throws {
        let script = Script()
        if !isAnswered { script.request.answered = MilterEvents(.endOfMessage) }
        let session = try EmbeddedSession(script) { $0.maximumHeldOctets = 0 }
        session.send(offer + envelope)
        let before = isAnswered ? ["c", "c", "c"] : []
        #expect(session.replies().dropFirst() == before[...])
        let large = packet("L", "a\0" + String(repeating: "x", count: 20_000) + "\0")
        #expect(replies(session, large) == (isAnswered ? ["t"] : []))
        session.send(ending)
        #expect(session.replies() == (isAnswered ? ["t", "t", "t", "t"] : ["t"]))
        #expect(script.log == ["connect x unknown ", "mail <>", "recipient <a>", "no room"])
        #expect(session.memory.shortages == 1 && session.memory.octets == 0)
        // The next one fits.
        script.log = []
        session.send(envelope.dropFirst(packet("C", "x\0U").count) + ending)
        #expect(session.replies().last == "c")
        #expect(script.log.last == "endOfMessage" && session.registry.statistics.abortedMessages == 1)
    }

    @Test("definitions for which there is no room fail what follows, because the filter would not know whom it serves")
    func macros() throws {
        let session = try EmbeddedSession { $0.maximumHeldOctets = 0 }
        session.send(offer + packet("C", "x\0U"))
        let large = packet("D", "M{auth_authen}\0" + String(repeating: "x", count: 20_000) + "\0")
        #expect(replies(session, large).dropFirst() == ["c"])
        for _ in 0..<2 {
            session.send(packet("M", "<>\0") + packet("R", "<a>\0") + ending)
            #expect(session.replies() == ["t", "t", "t", "t", "t", "t"])
        }
        #expect(session.script.log == ["connect x unknown "])
    }

    @Test("where there is room, a large header is held, and the room is given back")
    func room() throws {
        let session = try EmbeddedSession { $0.maximumHeldOctets = 100_000 }
        session.send(offer + envelope)
        let large = packet("L", "a\0" + String(repeating: "x", count: 60_000) + "\0")
        session.send(Array(large.prefix(50_000)))
        #expect(session.memory.octets > 40_000)
        session.send(Array(large.dropFirst(50_000)))
        #expect(session.memory.octets == 0 && session.memory.shortages == 0)
        session.send(Array(large.prefix(50_000)))
        _ = try session.channel.finish()
        #expect(session.memory.octets == 0)
    }

    @Test("who sends much while he is owed an answer is cut off")
    func impatient() throws {
        let session = try EmbeddedSession { $0.maximumHeldOctets = 0 }
        session.script.deferred = [.recipient]
        session.send(offer + envelope)
        for _ in 0..<10 where session.channel.isActive {
            session.send(packet("L", String(repeating: "x", count: 4000)))
        }
        #expect(!session.channel.isActive && session.script.log.suffix(2) == ["abort", "close"])
    }
}
