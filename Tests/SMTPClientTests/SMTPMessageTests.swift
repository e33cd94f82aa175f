import Testing

@testable import SMTPClient

@Suite("Messages for a server")
struct SMTPMessageTests {
    @Test(
        "what is a message, and what could end early",
        arguments: [
            ("a@example.org", "b@example.com", "x\r\n", true), ("", "b@example.com", "\r\n", true),
            ("a", "\"b\"@example.com", ".\r\n", true), ("a@example.org", "", "x\r\n", false),
            ("a@example.org", "b@example.com", "", false), ("a@example.org", "b@example.com", "x", false),
            ("a@example.org", "b@example.com", "x\n", false), ("a@example.org", "b@example.com", "x\ry\r\n", false),
            ("a@example.org", "b@example.com", "x\r\r\n", false), ("a@example.org", "b@example.com", "x\r", false),
            ("a@example.org\r\nDATA", "b@example.com", "x\r\n", false),
            ("a@example.org", "b@example.com>\r\nDATA", "x\r\n", false),
            ("a@example.org", "b c@example.com", "x\r\n", false),
            ("a@example.org", "<b@example.com>", "x\r\n", false),
            ("a@example.org", "b@exa\u{0}mple.com", "x\r\n", false),
            ("a@example.org", String(repeating: "b", count: 254), "x\r\n", true),
            ("a@example.org", String(repeating: "b", count: 255), "x\r\n", false),
            ("a@example.org", "b@example.com", String(repeating: "x", count: 998) + "\r\n", true),
            ("a@example.org", "b@example.com", String(repeating: "x", count: 999) + "\r\n", false),
        ]
    )
    func accepted(_ sender: String, _ recipient: String, _ text: String, _ isMessage: Bool) {
        let message = SMTPMessage(from: Array(sender.utf8), to: Array(recipient.utf8), octets: Array(text.utf8))
        #expect((message != nil) == isMessage)
    }

    @Test("dots are doubled wherever a block is cut")
    func blocks() throws {
        let line = Array("..\r\n.\r\nabc\r\n".utf8)
        let message = (0..<20_000).flatMap { _ in line }
        var content = SMTPContent(message)
        var written: [UInt8] = []
        while !content.isComplete { written += content.next() }
        let expected = (0..<20_000).flatMap { _ in Array("...\r\n..\r\nabc\r\n".utf8) } + Array(".\r\n".utf8)
        #expect(written == expected)
    }

    @Test(
        "the place of a server",
        arguments: [
            ("127.0.0.1:25", "127.0.0.1:25", true), ("[::1]:25", "[::1]:25", true),
            ("localhost:587", "localhost:587", true),
            ("127.8.8.8:1", "127.8.8.8:1", true), ("mail.example.org:25", "mail.example.org:25", false),
            ("192.0.2.1:25", "192.0.2.1:25", false), ("[2001:db8::1]:25", "[2001:db8::1]:25", false),
            ("127.0.0.1", nil, false), ("127.0.0.1:", nil, false), ("127.0.0.1:0", nil, false), ("::1:25", nil, false),
            ("[127.0.0.1]:25", nil, false), ("127.0.0.1:65536", nil, false), (":25", nil, false),
            ("a b:25", nil, false),
        ] as [(String, String?, Bool)]
    )
    func servers(_ text: String, _ written: String?, _ isLocal: Bool) {
        let server = SMTPServer(text)
        #expect(server?.description == written)
        #expect(server?.isLocal ?? false == isLocal)
    }
}
