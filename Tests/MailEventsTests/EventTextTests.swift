import MailEvents
import MailSyntax
import Testing

@Suite("Texts of events")
struct EventTextTests {
    private static func event(_ transcript: Transcript) throws -> MailEvent {
        try EventLineTests.event(
            EventLineTests.line {
                EventLineTests.form().write(signedBy: [], unsigned: nil, removed: 0, transcript, to: &$0)
            }
        )
    }

    @Test("an octet that is escaped is found at each place of a text", arguments: 0...20)
    func escapes(length: Int) throws {
        var transcript = Transcript()
        for place in 0...length {
            for sign: UInt8 in [0x1F, UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x7F] {
                var text = [UInt8](repeating: UInt8(ascii: "~"), count: length)
                if place < length { text[place] = sign }
                transcript.queueID = text
                #expect(try Self.event(transcript).id == String(decoding: text, as: UTF8.self))
            }
        }
    }

    @Test("a name is written as it is described, whatever its octets", arguments: 1...20)
    func names(length: Int) async throws {
        let judgement = try await EventCase.all[0].judgement()
        var transcript = Transcript()
        for place in 0..<length {
            for sign: UInt8 in [0, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "."), UInt8(ascii: " "), 0xFC] {
                var label = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                label[place] = sign
                let name = try DomainName(labels: [Octets("mx"), label[...], Octets("example")])
                transcript.seal = Transcript.Seal(domain: name, selector: .root, instance: 1, status: "none")
                let event = try EventLineTests.event(
                    EventLineTests.line {
                        EventLineTests.form().write(judgement, transcript, isClean: true, problem: nil, to: &$0)
                    }
                )
                #expect(event.sealed?.domain == name.description)
                #expect(event.sealed?.selector == ".")
            }
        }
    }
}
