import MilterProtocol
import Testing

@Suite("Option negotiation")
struct MilterOptionsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let offer: MilterOffer
        var request = MilterRequest()
        let reply: [UInt32]
    }

    static let cases: [Case] = [
        Case(
            testDescription: "Postfix and Sendmail, the default request",
            offer: .everything,
            // NOUNKNOWN, SKIP, LEADSPC, and NR_ for all but RCPT.
            reply: [6, 0x31, 0x1F_7580]
        ),
        Case(
            testDescription: "everything answered",
            offer: .everything,
            request: MilterRequest(actions: [.addHeaders], events: .all, answered: .all),
            reply: [6, 0x01, 0x10_0400]
        ),
        Case(
            testDescription: "few events",
            offer: .everything,
            request: MilterRequest(actions: [], events: MilterEvents(.mail, .endOfMessage), answered: .all),
            // NO_ for connect, HELO, RCPT, body, header, end of header, unknown, DATA; NR_ for the same.
            reply: [6, 0, 0x1F_B7FB & ~0x800]
        ),
        Case(
            testDescription: "a newer version, libmilter's own bits and bits of the future are not echoed",
            offer: MilterOffer(version: 7, actions: .max, protocolBits: .max),
            reply: [6, 0x31, 0x1F_7580]
        ),
        Case(
            testDescription: "an old MTA",
            offer: MilterOffer(version: 2, actions: 0x1F, protocolBits: 0x7F),
            reply: [2, 0x11, 0]
        ),
        Case(
            testDescription: "an MTA that offers nothing",
            offer: MilterOffer(version: 6, actions: 0, protocolBits: 0),
            reply: [6, 0, 0]
        ),
    ]

    @Test("replies", arguments: cases)
    func reply(_ test: Case) {
        var writer = MilterWriter()
        writer.write(MilterOptions(offer: test.offer, request: test.request))
        let numbers = stride(from: 5, to: 17, by: 4).map { start in
            writer.octets[start..<(start + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        #expect(writer.octets.prefix(5) == [0, 0, 0, 13, 0x4F])
        #expect(numbers == test.reply, "\(numbers.map { String($0, radix: 16) })")
        #expect(numbers[1] & ~test.offer.actions == 0 && numbers[2] & ~test.offer.protocolBits == 0)
    }
}
