import TestSupport
import Testing

@testable import SMTPClient

@Suite("Replies of a server")
struct SMTPReplyTests {
    private static func read(_ octets: [UInt8], by length: Int) -> [String] {
        var reader = SMTPReplyReader()
        var read: [String] = []
        for start in stride(from: 0, to: octets.count, by: length) {
            reader.append(octets[start..<min(start + length, octets.count)])
            do throws(SMTPReplyError) {
                while let reply = try reader.next() {
                    read.append("\(reply.code):" + reply.lines.joined(separator: "|"))
                }
            } catch {
                return read + ["error"]
            }
        }
        return reader.isInReply ? read + ["..."] : read
    }

    @Test(
        "RFC 5321 § 4.2: one line or several, however they are cut",
        arguments: [
            ("220 mx ready\r\n", ["220:mx ready"]), ("250-a\r\n250-\r\n250 b\r\n", ["250:a||b"]), ("250\r\n", ["250:"]),
            ("250-a\r\n250\r\n", ["250:a|"]), ("250 a\n250 b\r\n", ["250:a", "250:b"]), ("250", ["..."]),
            ("250-a\r\n", ["..."]), ("250 \u{1B}[2Jü\r\n", ["250:?[2Jü"]), ("250 a\rb\r\n", ["250:a?b"]),
            ("25 a\r\n", ["error"]), ("2500 a\r\n", ["error"]), ("250_a\r\n", ["error"]), ("\r\n", ["error"]),
            ("250-a\r\n251 b\r\n", ["error"]), ("150 a\r\n", ["error"]), ("650 a\r\n", ["error"]),
            ("+50 a\r\n", ["error"]), ("HTTP/1.1 400 Bad Request\r\n", ["error"]), ("SSH-2.0-x\r\n", ["error"]),
            ("250 \u{0}\r\n", ["250:?"]),
        ]
    )
    func replies(_ text: String, _ expected: [String]) {
        for length in [1, 2, 3, 7, 1000] { #expect(Self.read(Array(text.utf8), by: length) == expected) }
    }

    @Test("a line has at most 512 octets, a reply at most 100 lines")
    func bounds() {
        let longest = "250 " + String(repeating: "a", count: 506) + "\r\n"
        #expect(Self.read(Array(longest.utf8), by: 1000).count == 1)
        #expect(Self.read(Array(("250 a" + longest.dropFirst(4)).utf8), by: 1000) == ["error"])
        #expect(Self.read(Array(repeating: 0x32, count: 512), by: 100) == ["error"])
        let lines = String(repeating: "250-a\r\n", count: 99)
        #expect(Self.read(Array((lines + "250 b\r\n").utf8), by: 1000).count == 1)
        #expect(Self.read(Array((lines + "250-a\r\n250 b\r\n").utf8), by: 1000) == ["error"])
        let endless = Array(String(repeating: "250-a\r\n", count: 10_000).utf8)
        #expect(Self.read(endless, by: 1000) == ["error"])
    }

    @Test("octets at random are replies, or an error, and no more")
    func random() {
        var generator = SeededGenerator(seed: 22)
        let alphabet = Array("2450 -\r\nx".utf8) + [0x00, 0xFF]
        for _ in 0..<2000 {
            let octets = (0..<40).compactMap { _ in alphabet.randomElement(using: &generator) }
            let whole = Self.read(octets, by: 40)
            #expect(whole == Self.read(octets, by: 1) || whole.last == "error")
        }
    }
}
