import NIOCore
import NIOEmbedded
import Testing

@testable import SMTPClient

@Suite("A dialogue on a connection")
struct SMTPChannelTests {
    /// A connection with a client on it.
    private struct Connection {
        let channel = EmbeddedChannel()
        let outcome: EventLoopPromise<SMTPOutcome>

        init(octets: Int = 40) throws {
            let lines = Array(repeating: Array("01234567\r\n".utf8), count: octets / 10).flatMap { $0 }
            let message = try #require(SMTPMessage(from: [], to: Array("b@example.com".utf8), octets: lines))
            outcome = channel.eventLoop.makePromise()
            var timeouts = SMTPTimeouts()
            timeouts.command = .seconds(10)
            let handler = SMTPChannelHandler(SMTPDialogue(message, hello: "me.example"), timeouts, outcome)
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 25)).wait()
        }

        func say(_ text: String) throws {
            try channel.writeInbound(ByteBuffer(string: text))
            channel.embeddedEventLoop.run()
        }

        func heard() throws -> String {
            var all = ""
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) { all += String(buffer: buffer) }
            return all
        }

        func sayAll(until count: Int) throws {
            for reply in ["220 mx", "250 mx", "250 ok", "250 ok", "354 go", "250 q"].prefix(count) {
                try say(reply + "\r\n")
            }
        }
    }

    @Test("a message goes, and QUIT after it")
    func whole() throws {
        let connection = try Connection()
        try connection.sayAll(until: 6)
        let heard = try connection.heard()
        #expect(heard.hasPrefix("EHLO me.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n0123"))
        #expect(heard.hasSuffix("01234567\r\n.\r\nQUIT\r\n"))
        #expect(try connection.outcome.futureResult.wait() == .accepted(SMTPReply(code: 250, lines: ["q"])))
        #expect(connection.channel.isActive)
        try connection.say("221 bye\r\n")
        #expect(!connection.channel.isActive)
    }

    @Test("a long message goes in blocks")
    func blocks() throws {
        let connection = try Connection(octets: 1_000_000)
        try connection.sayAll(until: 6)
        let heard = try connection.heard()
        #expect(heard.utf8.count > 1_000_000 && heard.hasSuffix("01234567\r\n.\r\nQUIT\r\n"))
        #expect(try connection.outcome.futureResult.wait() == .accepted(SMTPReply(code: 250, lines: ["q"])))
    }

    @Test("a server that closes, at each place", arguments: 0...5)
    func closed(_ replies: Int) throws {
        let connection = try Connection()
        try connection.sayAll(until: replies)
        _ = try? connection.channel.finish()
        let stages: [SMTPStage] = [.greeting, .hello, .mail, .recipient, .data]
        let expected: SMTPOutcome = replies == 5 ? .unknown(.closed) : .deferred(.closed, at: stages[replies])
        #expect(try connection.outcome.futureResult.wait() == expected)
    }

    @Test("a server that hangs, at each place", arguments: zip(0...5, [10, 10, 10, 10, 120, 600]))
    func hangs(_ replies: Int, _ seconds: Int64) throws {
        let connection = try Connection()
        try connection.sayAll(until: replies)
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(seconds - 1))
        #expect(connection.channel.isActive)
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!connection.channel.isActive)
        let stages: [SMTPStage] = [.greeting, .hello, .mail, .recipient, .data]
        let expected: SMTPOutcome = replies == 5 ? .unknown(.timeout) : .deferred(.timeout, at: stages[replies])
        #expect(try connection.outcome.futureResult.wait() == expected)
    }

    @Test("a server that hangs after QUIT delays nobody")
    func quit() throws {
        let connection = try Connection()
        try connection.sayAll(until: 6)
        #expect(try connection.outcome.futureResult.wait() == .accepted(SMTPReply(code: 250, lines: ["q"])))
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(!connection.channel.isActive)
    }

    @Test(
        "what is no reply, and what answers too early",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n", "220 mx\r\n250 mx\r\n", "220 mx\r\n2", String(repeating: "2", count: 600),
        ]
    )
    func garbage(_ text: String) throws {
        let connection = try Connection()
        try connection.say(text)
        #expect(try connection.outcome.futureResult.wait() == .deferred(.badReply, at: .greeting))
        #expect(!connection.channel.isActive)
    }

    @Test("421 behind the reply to the message takes nothing back")
    func goodbye() throws {
        let connection = try Connection()
        try connection.sayAll(until: 5)
        try connection.say("250 q\r\n421 going down\r\n")
        #expect(try connection.outcome.futureResult.wait() == .accepted(SMTPReply(code: 250, lines: ["q"])))
    }
}
