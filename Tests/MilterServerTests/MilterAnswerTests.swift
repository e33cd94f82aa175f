import MilterProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import MilterServer

@Suite("Answers that come later")
struct MilterAnswerTests {
    private static let message = packet("C", "x\0U") + packet("M", "<>\0") + packet("R", "<a>\0")

    private func session(deferring events: Set<MilterEvent>) throws -> EmbeddedSession {
        let session = try EmbeddedSession { $0.progressInterval = .seconds(5) }
        session.script.deferred = events
        session.send(offer)
        _ = session.replies()
        return session
    }

    @Test("an end of message, with progress")
    func endOfMessage() throws {
        let session = try session(deferring: [.endOfMessage])
        session.send(Self.message + packet("E"))
        #expect(session.replies() == ["c", "c", "c"])
        session.channel.embeddedEventLoop.advanceTime(by: .seconds(4))
        #expect(session.replies().isEmpty)
        session.channel.embeddedEventLoop.advanceTime(by: .seconds(12))
        #expect(session.writes() == [["p"], ["p"], ["p"]])
        session.script.answers.first?.complete(
            MilterVerdict(.accept, modifications: [.addHeader(name: octets("A")[...], value: octets("b")[...])])
        )
        #expect(session.writes() == [["hA\0 b\0", "a"]])
        session.channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(session.replies().isEmpty)
    }

    @Test(
        "before the end without progress: Sendmail does not understand it there",
        arguments: [MilterEvent.recipient, .data]
    )
    func recipient(_ event: MilterEvent) throws {
        let session = try session(deferring: [event])
        session.send(Self.message + packet("T"))
        #expect(session.replies() == (event == .recipient ? ["c", "c"] : ["c", "c", "c"]))
        session.channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        #expect(session.replies().isEmpty)
        session.script.answers.first?.complete(.tempfail)
        #expect(session.replies().first == "t")
    }

    @Test("nothing is read and nothing delivered while an answer is pending")
    func backpressure() throws {
        let session = try session(deferring: [.recipient])
        session.send(Self.message + packet("T") + packet("N"))
        #expect(session.replies() == ["c", "c"])
        #expect(session.script.log.last == "recipient <a>")
        let reads = session.reads.count
        session.channel.read()
        session.channel.read()
        #expect(session.reads.count == reads)
        // What arrives with a hang-up is kept.
        session.send(Array(packet("B", "x").prefix(3)))
        session.send(Array(packet("B", "x").dropFirst(3)))
        #expect(session.script.log.last == "recipient <a>")
        session.script.answers.first?.complete(.continue)
        #expect(session.reads.count == reads + 1)
        #expect(session.script.log.suffix(3) == ["data", "endOfHeaders", "body x"])
        #expect(session.replies() == ["c", "c", "c", "c"])
    }

    @Test("an MTA that does not take its answers is not read from")
    func unread() throws {
        let session = try session(deferring: [])
        session.channel.isWritable = false
        let reads = session.reads.count
        session.send(Self.message)
        session.channel.read()
        #expect(session.reads.count == reads)
        session.channel.isWritable = true
        session.channel.pipeline.fireChannelWritabilityChanged()
        #expect(session.reads.count == reads + 1)
    }

    @Test("an MTA that sends without end while an answer is pending is cut off")
    func flood() throws {
        let session = try session(deferring: [.endOfMessage])
        session.send(Self.message + packet("E"))
        for _ in 0..<40 { session.send([UInt8](repeating: 0, count: 65_536)) }
        #expect(!session.channel.isActive)
        #expect(session.script.log.suffix(2) == ["abort", "close"])
    }

    @Test("the second completion has no effect")
    func twice() throws {
        let session = try session(deferring: [.endOfMessage])
        session.send(Self.message + packet("E"))
        _ = session.replies()
        session.script.answers.first?.complete(.accept)
        session.script.answers.first?.complete(.reject)
        #expect(session.replies() == ["a"])
        session.send(packet("M", "<>\0") + packet("E"))
        session.script.answers.first?.complete(.reject)
        #expect(session.replies() == ["c"])
        session.script.answers.last?.complete(.discard)
        #expect(session.replies() == ["d"])
    }

    @Test("completed before the handler returns", arguments: [true, false])
    func early(_ defers: Bool) throws {
        let session = try session(deferring: defers ? [.endOfMessage] : [])
        session.script.whenAsked = { $0.complete(.reject) }
        session.send(packet("C", "x\0U") + packet("M", "<>\0") + packet("E"))
        // What the handler returns counts more than what it completed.
        #expect(session.replies().last == (defers ? "r" : "c"))
    }

    @Test("the MTA hangs up: the message is given up, and the answer goes nowhere")
    func hangup() throws {
        let session = try session(deferring: [.endOfMessage])
        session.send(Self.message + packet("E"))
        _ = session.replies()
        session.channel.pipeline.fireChannelInactive()
        #expect(session.script.log.suffix(3) == ["endOfMessage", "abort", "close"])
        session.script.answers.first?.complete(.accept)
        #expect(session.replies().isEmpty)
        #expect(session.registry.statistics.abortedMessages == 1)
    }

    @Test("a session waits for its answer when the server ends")
    func drain() throws {
        let session = try session(deferring: [.endOfMessage])
        session.send(Self.message + packet("E"))
        _ = session.replies()
        session.channel.pipeline.fireUserInboundEventTriggered(MilterDrainEvent())
        #expect(session.channel.isActive)
        session.script.answers.first?.complete(.accept)
        #expect(session.replies() == ["a"])
        #expect(!session.channel.isActive)
    }

    @Test("a session without message is closed at once when the server ends")
    func drainIdle() throws {
        let session = try session(deferring: [])
        session.send(Self.message + packet("E"))
        session.channel.pipeline.fireUserInboundEventTriggered(MilterDrainEvent())
        #expect(!session.channel.isActive)
        #expect(session.script.log.suffix(2) == ["endOfMessage", "close"])
    }
}

@Suite("Patience")
struct MilterTimeoutTests {
    private func session(idle: TimeAmount = .hours(2)) throws -> EmbeddedSession {
        try EmbeddedSession {
            $0.commandTimeout = .minutes(1)
            $0.idleTimeout = idle
        }
    }

    private func timesOut(_ session: EmbeddedSession, after time: TimeAmount) -> Bool {
        session.channel.embeddedEventLoop.advanceTime(by: time - .seconds(1))
        let before = session.channel.isActive
        session.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        return before && !session.channel.isActive && session.registry.statistics.timeouts == 1
    }

    @Test("who says nothing is not waited for long")
    func nothing() throws {
        let session = try session()
        #expect(timesOut(session, after: .minutes(1)))
        #expect(session.replies().isEmpty)
    }

    @Test("a packet that was begun is due soon")
    func begun() throws {
        let session = try session()
        session.send(offer)
        session.channel.embeddedEventLoop.advanceTime(by: .minutes(30))
        #expect(session.channel.isActive)
        session.send(Array(packet("C", "x\0U").prefix(6)))
        #expect(timesOut(session, after: .minutes(1)))
    }

    @Test(
        "a packet that is sent octet by octet is due at the same time as any other",
        arguments: [
            ([], packet("C", String(repeating: "x", count: 100))),
            (packet("C", "x\0U") + packet("M", "<>\0"), packet("L", String(repeating: "x", count: 100))),
            (packet("C", "x\0U") + packet("M", "<>\0"), packet("B", String(repeating: "x", count: 100))),
        ]
    )
    func trickle(_ before: [UInt8], _ slow: [UInt8]) throws {
        let session = try session()
        session.send(offer + before)
        session.channel.embeddedEventLoop.advanceTime(by: .minutes(30))
        for octet in slow.prefix(60) {
            #expect(session.channel.isActive)
            session.send([octet])
            session.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        }
        #expect(!session.channel.isActive && session.registry.statistics.timeouts == 1)
    }

    @Test("negotiation that is begun octet by octet is due as well")
    func slowNegotiation() throws {
        let session = try session()
        for octet in offer.prefix(12) {
            session.send([octet])
            session.channel.embeddedEventLoop.advanceTime(by: .seconds(5))
        }
        #expect(!session.channel.isActive && session.registry.statistics.timeouts == 1)
    }

    @Test("each packet has its own time, however slowly they come")
    func slowPackets() throws {
        let session = try session()
        session.send(offer + packet("C", "x\0U") + packet("M", "<>\0"))
        for _ in 0..<20 {
            let field = packet("L", "name\0value\0")
            for piece in [field.prefix(3), field.dropFirst(3)] {
                session.channel.embeddedEventLoop.advanceTime(by: .seconds(50))
                session.send(Array(piece))
            }
        }
        #expect(session.channel.isActive)
    }

    @Test("an idle connection is closed in time where that time is short", arguments: [true, false])
    func shortIdle(_ inMessage: Bool) throws {
        let session = try session(idle: .seconds(20))
        session.send(offer)
        session.channel.embeddedEventLoop.advanceTime(by: .seconds(13))
        session.send(packet("C", "x\0U") + (inMessage ? packet("M", "<>\0") : []))
        #expect(timesOut(session, after: .seconds(20)))
    }

    @Test("an idle connection is kept for two hours", arguments: [true, false])
    func idle(_ inMessage: Bool) throws {
        let session = try session()
        session.send(offer + (inMessage ? packet("C", "x\0U") + packet("M", "<>\0") : []))
        #expect(timesOut(session, after: .hours(2)))
        #expect(session.script.log.contains("abort") == inMessage)
    }

    @Test("while an answer is pending the MTA owes nothing")
    func pending() throws {
        let session = try session()
        session.script.deferred = [.endOfMessage]
        session.send(offer + packet("C", "x\0U") + packet("M", "<>\0") + packet("E"))
        session.channel.embeddedEventLoop.advanceTime(by: .hours(3))
        #expect(session.channel.isActive)
    }
}
