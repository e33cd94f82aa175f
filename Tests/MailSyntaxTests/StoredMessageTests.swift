import MailSyntax
import TestSupport
import Testing

@Suite("Stored messages and base64")
struct StoredMessageTests {
    @Test(
        "RFC 5322 § 2.1: header and body",
        arguments: [
            ("A: b\r\nC:d\r\n\r\nbody\r\n", ["A| b", "C|d"], "body\r\n"),
            ("A: b\n c\nD: e\n\nbody\n", ["A| b\r\n c", "D| e"], "body\n"),
            ("From x Mon\nA: b\n\n", ["A| b"], ""), ("From : b\nA: b\n\n", ["From | b", "A| b"], ""),
            ("From \t: b\n", ["From \t| b"], ""), ("From x Mon 10:00:00\nFrom : b\n", ["From | b"], ""),
            ("A: b", ["A| b"], ""), ("", [], ""), ("\n\nx", [], "\nx"), ("\r\nx", [], "x"),
            ("no field\nA: b\n", [], "no field\nA: b\n"),
            ("A: b\nno field\nC: d\n", ["A| b"], "no field\nC: d\n"), ("A : b\n", ["A | b"], ""),
            (": b\n", [], ": b\n"),
            (" A: b\n", [], " A: b\n"), ("A:\n", ["A|"], ""), ("A: b\n \n\nx", ["A| b\r\n "], "x"),
            ("A: b\r", ["A| b\r"], ""),
        ] as [(String, [String], String)]
    )
    func splits(text: String, fields: [String], body: String) {
        let message = StoredMessage(Octets("xx" + text).dropFirst(2))
        #expect(message.headers.map { "\($0.label.text)|\($0.value.text)" } == fields)
        #expect(message.body.text == body)
    }

    @Test(
        "RFC 4648 § 4: base64",
        arguments: [
            ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ]
    )
    func base64(text: String, octets: String) {
        #expect(Base64.decode(Octets(text)) == Array(octets.utf8))
        #expect(Base64.encode(Array(octets.utf8)) == Array(text.utf8))
        #expect(Base64.decode(Octets(text.map { " \($0)\r\n\t" }.joined())) == Array(octets.utf8))
        #expect(Base64.decode(Octets(text.filter { $0 != "=" })) == Array(octets.utf8))
    }

    @Test(
        "RFC 4648 § 4: what is no base64",
        arguments: ["Z", "Zm9vY", "Zg=", "Zg===", "Zg==Zg==", "=", "====", "Zm9v=", "Zm-v", "Zm9v\u{0}"]
    )
    func noBase64(text: String) {
        #expect(Base64.decode(Octets(text)) == nil)
    }
}
