import MilterProtocol
import Testing

@Suite("Writing packets")
struct MilterWriterTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let modification: MilterModification
        var offer = MilterOffer.everything
        var request = MilterRequest(actions: MilterActions(rawValue: 0x1FF))
        let packets: [String]
    }

    static let cases: [Case] = [
        Case(
            testDescription: "a header field goes to index 0 with its leading space",
            modification: .insertHeader(index: 0, name: octets("X-A"), value: octets("b")),
            packets: ["i\0\0\0\0X-A\0 b\0"]
        ),
        Case(
            testDescription: "a leading space is not doubled",
            modification: .insertHeader(index: 0, name: octets("X-A"), value: octets(" b")),
            packets: ["i\0\0\0\0X-A\0 b\0"]
        ),
        Case(
            testDescription: "without LEADSPC the MTA adds the space",
            modification: .insertHeader(index: 0, name: octets("X-A"), value: octets(" b")),
            request: MilterRequest(leadingSpace: false),
            packets: ["i\0\0\0\0X-A\0b\0"]
        ),
        Case(
            testDescription: "LEADSPC that was not offered is not used",
            modification: .addHeader(name: octets("X-A"), value: octets("b")),
            offer: MilterOffer(version: 6, actions: 0x1FF, protocolBits: 0x0F_FFFF),
            packets: ["hX-A\0b\0"]
        ),
        Case(
            testDescription: "a deletion is truly empty",
            modification: .changeHeader(name: octets("X-A"), index: 3, value: []),
            packets: ["m\0\0\0\u{3}X-A\0\0"]
        ),
        Case(
            testDescription: "CRLF folds become LF folds",
            modification: .insertHeader(index: 0, name: octets("X-A"), value: octets("b;\r\n\tc;\r\n d")),
            packets: ["i\0\0\0\0X-A\0 b;\n\tc;\n d\0"]
        ),
        Case(
            testDescription: "a line of the value cannot become a field of its own",
            modification: .insertHeader(index: 0, name: octets("X-A"), value: octets("b\r\nX-Evil: 1\n\n\nbody\r")),
            packets: ["i\0\0\0\0X-A\0 b\n\tX-Evil: 1\n\tbody\0"]
        ),
        Case(
            testDescription: "a blank line cannot end the header",
            modification: .insertHeader(index: 0, name: octets("X-A"), value: octets("b\n \t \n\tc\n ")),
            packets: ["i\0\0\0\0X-A\0 b\n\tc\0"]
        ),
        Case(
            testDescription: "NUL cannot end the value",
            modification: .insertHeader(index: 0, name: octets("X-A"), value: octets("b\0c")),
            packets: ["i\0\0\0\0X-A\0 b\n\tc\0"]
        ),
        Case(
            testDescription: "a name with a colon is left out",
            modification: .insertHeader(index: 0, name: octets("X-A: b\r\nY"), value: octets("c")),
            packets: []
        ),
        Case(testDescription: "an empty name is left out", modification: .addHeader(name: [], value: []), packets: []),
        Case(
            testDescription: "a change that was not offered is left out",
            modification: .quarantine(reason: octets("why")),
            offer: MilterOffer(version: 2, actions: 0x1F, protocolBits: 0x7F),
            packets: []
        ),
        Case(
            testDescription: "a quarantine reason is one line of 100 octets",
            modification: .quarantine(reason: octets("a\r\nb" + String(repeating: "c", count: 200))),
            packets: ["qa  b" + String(repeating: "c", count: 96) + "\0"]
        ),
        Case(
            testDescription: "a recipient with arguments has its own command",
            modification: .addRecipient(address: octets("<a@b>"), arguments: octets("NOTIFY=NEVER")),
            packets: ["2<a@b>\0NOTIFY=NEVER\0"]
        ),
        Case(
            testDescription: "a recipient without",
            modification: .addRecipient(address: octets("<a@b>"), arguments: []),
            packets: ["+<a@b>\0"]
        ),
        Case(
            testDescription: "a recipient goes",
            modification: .deleteRecipient(address: octets("<a@b>")),
            packets: ["-<a@b>\0"]
        ),
        Case(
            testDescription: "the sender changes",
            modification: .changeSender(address: octets("<>"), arguments: []),
            packets: ["e<>\0"]
        ),
        Case(
            testDescription: "an empty body is one empty chunk",
            modification: .replaceBody([]),
            packets: ["b"]
        ),
        Case(
            testDescription: "a large body is several chunks",
            modification: .replaceBody(octets(String(repeating: "x", count: 65_537))),
            packets: ["b" + String(repeating: "x", count: 65_535), "bxx"]
        ),
    ]

    @Test("modifications", arguments: cases)
    func modification(_ test: Case) {
        var writer = MilterWriter()
        let written = writer.write(
            test.modification,
            options: MilterOptions(offer: test.offer, request: test.request)
        )
        #expect(writer.packets == test.packets)
        #expect(written == !test.packets.isEmpty)
    }

    // RFC 5322 § 2.1.1: no line is longer than 998 octets.
    @Test("a long value is folded without loss")
    func longLine() throws {
        var writer = MilterWriter()
        let value = String(repeating: "x", count: 5000)
        writer.write(
            .insertHeader(index: 0, name: octets("X-A"), value: octets(value)),
            options: MilterOptions(offer: .everything, request: MilterRequest())
        )
        let packet = try #require(writer.packets.first)
        let lines = packet.dropFirst(9).dropLast().split(separator: "\n")
        #expect(lines.allSatisfy { $0.utf8.count <= 998 })
        #expect(lines.first.map { $0.utf8.count + 4 <= 998 } == true)
        #expect(lines.map { $0.drop { $0 == " " || $0 == "\t" } }.joined() == value)
    }

    @Test(
        "responses",
        arguments: [
            (MilterResponse.continue, "c"), (.accept, "a"), (.reject, "r"), (.tempfail, "t"), (.discard, "d"),
            (.skip, "s"), (.reply(MilterReply(code: 550, enhancedStatus: "5.7.1", text: "no")), "y550 5.7.1 no\0"),
        ]
    )
    func response(_ response: MilterResponse, packet: String) {
        var writer = MilterWriter()
        writer.write(response)
        #expect(writer.packets == [packet])
    }

    @Test("progress") func progress() {
        var writer = MilterWriter()
        writer.writeProgress()
        #expect(writer.octets == [0, 0, 0, 1, 0x70])
        writer.removeAll()
        #expect(writer.octets.isEmpty)
    }
}
