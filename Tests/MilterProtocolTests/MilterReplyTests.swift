import MilterProtocol
import Testing

@Suite("Reply text")
struct MilterReplyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var code: UInt16 = 550
        var status = "5.7.1"
        let text: [String]
        let octets: String
    }

    static let cases: [Case] = [
        Case(testDescription: "one line", text: ["SPF fail"], octets: "550 5.7.1 SPF fail"),
        Case(testDescription: "two lines", text: ["a", "b"], octets: "550-5.7.1 a\r\n550 5.7.1 b"),
        Case(testDescription: "a percent sign is doubled", text: ["100% %s"], octets: "550 5.7.1 100%% %%s"),
        Case(
            testDescription: "a line end cannot end the line",
            text: ["a\r\n250 ok\0"],
            octets: "550 5.7.1 a  250 ok?"
        ),
        Case(
            testDescription: "printable US-ASCII only",
            text: ["a\u{7F}\u{E9}\u{1B}b\tc"],
            octets: "550 5.7.1 a????b c"
        ),
        // RFC 3463 § 2: the class is that of the reply code.
        Case(testDescription: "status of another class", status: "4.7.1", text: ["a"], octets: "550 5.7.1 a"),
        Case(testDescription: "status of four parts", status: "5.7.1.1", text: ["a"], octets: "550 5.7.1 a"),
        Case(testDescription: "status with a line end", status: "5.7.1\r\n", text: ["a"], octets: "550 5.7.1 a"),
        Case(testDescription: "no status", code: 451, status: "", text: ["a"], octets: "451 4.7.1 a"),
        Case(testDescription: "status of three digits", status: "5.7.123", text: ["a"], octets: "550 5.7.123 a"),
        Case(testDescription: "a code that accepts", code: 250, status: "2.0.0", text: ["a"], octets: "451 4.7.1 a"),
        Case(testDescription: "no text", text: [], octets: "550 5.7.1 Refused"),
        Case(testDescription: "an empty line", text: ["", "a"], octets: "550-5.7.1 \r\n550 5.7.1 a"),
    ]

    @Test("octets", arguments: cases)
    func octetsOf(_ test: Case) {
        let reply = MilterReply(code: test.code, enhancedStatus: test.status, text: test.text.map { octets($0) })
        #expect(String(decoding: reply.octets, as: UTF8.self) == test.octets)
    }

    @Test(
        "long text is wrapped, whatever it consists of",
        arguments: ["x", "%", "word ", "x%", "%%x ", "a  b"],
        [979, 980, 5000, 100_000]
    )
    func long(_ unit: String, _ count: Int) {
        let text = String(repeating: unit, count: count)
        let reply = MilterReply(code: 550, enhancedStatus: "5.7.1", text: text)
        let lines = String(decoding: reply.octets, as: UTF8.self).split(separator: "\r\n")
        #expect(lines.count <= 32)
        for (index, line) in lines.enumerated() {
            #expect(line.utf8.count <= 980)
            #expect(line.hasPrefix(index == lines.count - 1 ? "550 5.7.1 " : "550-5.7.1 "))
            // What the MTA makes of it: every sign is one of a pair.
            #expect(line.split(whereSeparator: { $0 != "%" }).allSatisfy { $0.count.isMultiple(of: 2) })
        }
    }
}
