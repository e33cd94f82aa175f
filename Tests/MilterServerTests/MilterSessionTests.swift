import MilterProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import MilterServer

/// A session with several messages, every kind of command, a split CRLF, an aborted message and QUIT_NC.
private let conversation: [[UInt8]] = [
    offer, packet("D", "Cj\0mx\0"), packet("C", "mail.example.com\u{0}4\u{1}\u{2}192.0.2.1\u{0}"),
    packet("H", "mail.example.com\0"), packet("M", "<a@example.com>\0SIZE=9\0"), packet("R", "<b@example.net>\0"),
    packet("T"), packet("L", "From\0 a@example.com\0"), packet("L", "X\0\0"), packet("N"), packet("B", "one\r"),
    packet("B", "\ntwo\r\n"), packet("E"), packet("A"), packet("A"), packet("M", "<>\0"), packet("U", "FOO\0"),
    packet("R", "<b>\0"), packet("A"), packet("M", "<c>\0"), packet("R", "<d>\0"), packet("N"), packet("E", "rest\r\n"),
    packet("K"), packet("C", "x\0U"), packet("H", "y\0"), packet("M", "<e>\0"), packet("Q"),
]

private let events = [
    "connect mail.example.com ipv4 192.0.2.1", "helo mail.example.com", "mail <a@example.com> SIZE=9",
    "recipient <b@example.net>", "data", "header From: a@example.com", "header X:", "endOfHeaders",
    "body one\r\ntwo\r\n", "endOfMessage", "mail <>", "unknown FOO", "recipient <b>", "abort", "mail <c>",
    "recipient <d>", "endOfHeaders", "body rest\r\n", "endOfMessage", "close", "connect x unknown ", "helo y",
    "mail <e>", "abort", "close",
]

@Suite("Sessions")
struct MilterSessionTests {
    private func play(_ stream: [[UInt8]]) throws -> (log: [String], replies: [String], isActive: Bool) {
        let session = try EmbeddedSession()
        session.script.modifications = [.insertHeader(index: 0, name: octets("X-A")[...], value: octets("b")[...])]
        for piece in stream { session.send(piece) }
        return (session.script.log, session.replies(), session.channel.isActive)
    }

    @Test("packet by packet")
    func packets() throws {
        let (log, replies, isActive) = try play(conversation)
        #expect(log == events)
        #expect(!isActive)
        #expect(replies.first?.first == "O")
        #expect(replies.filter { $0 == "c" }.count == 21)
        #expect(replies.filter { $0 == "i\0\0\0\0X-A\0 b\0" }.count == 2)
        #expect(replies.count == 24)
    }

    @Test("the same, split at every octet")
    func everySplit() throws {
        let whole = Array(conversation.joined())
        let expected = try play(conversation).replies
        for split in whole.indices {
            let (log, replies, isActive) = try play([Array(whole[..<split]), Array(whole[split...])])
            #expect(log == events, "split at \(split)")
            #expect(replies == expected, "split at \(split)")
            #expect(!isActive)
        }
    }

    @Test("the same, in pieces of every size", arguments: 1...40)
    func pieces(_ size: Int) throws {
        let whole = Array(conversation.joined())
        let pieces = stride(from: 0, to: whole.count, by: size).map { Array(whole[$0..<min($0 + size, whole.count)]) }
        let (log, replies, _) = try play(pieces)
        #expect(log == events)
        #expect(try replies == play(conversation).replies)
    }

    @Test("large packets in pieces", arguments: [1000, 16_384, 65_535, 65_541, 100_000])
    func large(_ size: Int) throws {
        let session = try EmbeddedSession()
        let body = [UInt8](repeating: 0x61, count: 65_535)
        let header = packet("L", octets("X\0 ") + [UInt8](repeating: 0x62, count: 102_400) + [0])
        let head = offer + packet("C", "x\0U") + packet("M", "<>\0") + header + packet("N")
        let whole = head + packet("B", body) + packet("B", body) + packet("E")
        for start in stride(from: 0, to: whole.count, by: size) {
            session.send(Array(whole[start..<min(start + size, whole.count)]))
        }
        let log = session.script.log
        #expect(log.dropFirst(3) == ["endOfHeaders", "body 131070 octets", "endOfMessage"])
        #expect(log.dropFirst(2).first?.utf8.count == "header X: ".utf8.count + 102_400)
        #expect(session.replies().last == "c")
    }

    @Test("a chunk in pieces has one answer, at its end", arguments: [MilterResponse.continue, .skip, .reject])
    func chunkInPieces(_ response: MilterResponse) throws {
        let session = try EmbeddedSession()
        session.script.responses[.body] = response
        session.send(offer + packet("C", "x\0U") + packet("M", "<>\0") + packet("N"))
        _ = session.replies()
        let chunk = packet("B", "one two three")
        session.send(Array(chunk.prefix(8)))
        session.send(Array(chunk[8..<12]))
        #expect(session.replies().isEmpty)
        session.send(Array(chunk[12...]))
        let answers: [MilterResponse: String] = [.continue: "c", .skip: "s", .reject: "r"]
        #expect(session.replies() == [answers[response]])
        // After its say, the filter is given no more of the chunk.
        #expect(session.script.log.last == (response == .continue ? "body one two three" : "body one"))
        // Nor of the body.
        session.send(Array(chunk.prefix(8)))
        session.send(Array(chunk[8...]))
        #expect(session.replies() == [answers[response]])
    }

    @Test("a connection that ends in a chunk ends the message")
    func endInChunk() throws {
        let session = try EmbeddedSession()
        session.send(offer + packet("C", "x\0U") + packet("M", "<>\0") + packet("N") + packet("B", "one").dropLast())
        session.channel.pipeline.fireChannelInactive()
        #expect(session.script.log.suffix(3) == ["body on", "abort", "close"])
    }

    @Test("a message's changes and its answer are one write")
    func oneWrite() throws {
        let session = try EmbeddedSession()
        session.script.modifications = [
            .changeHeader(name: octets("A")[...], index: 1, value: []),
            .insertHeader(index: 0, name: octets("A")[...], value: octets("b")[...]),
            .quarantine(reason: octets("why")[...]),
        ]
        session.script.responses[.endOfMessage] = .accept
        session.send(offer + packet("C", "x\0U") + packet("M", "<>\0"))
        _ = session.writes()
        session.send(packet("R", "<b>\0") + packet("E"))
        #expect(session.writes() == [["c", "m\0\0\0\u{1}A\0\0", "i\0\0\0\0A\0 b\0", "qwhy\0", "a"]])
    }

    @Test("nothing is written when nothing is to be answered")
    func silence() throws {
        let script = Script()
        script.request = MilterRequest(answered: MilterEvents())
        let session = try EmbeddedSession(script)
        session.send(offer)
        #expect(session.replies().count == 1)
        session.send(packet("C", "x\0U") + packet("H", "x\0") + packet("M", "<>\0") + packet("R", "<>\0") + packet("T"))
        session.send(packet("L", "A\0b\0") + packet("N") + packet("B", "x"))
        #expect(session.writes().isEmpty)
        session.send(packet("E"))
        #expect(session.writes() == [["c"]])
    }

    @Test("a body part at the end of the message may be refused")
    func refusedLastChunk() throws {
        let session = try EmbeddedSession()
        session.script.responses[.body] = .reject
        session.send(offer + packet("C", "x\0U") + packet("M", "<>\0") + packet("E", "x"))
        #expect(session.replies().last == "r")
        #expect(session.script.log.last == "body x")
    }
}
