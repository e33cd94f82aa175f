import Logging
import MailSyntax
import PosternConfiguration
import Testing

@testable import PosternDaemon

@Suite("Log lines")
struct LogLineTests {
    struct Case: Sendable {
        let value: String
        let written: String
    }

    @Test(
        "a value is quoted when it needs it, and never ends the line or the value early",
        arguments: [
            Case(value: "mail.example.com", written: "mail.example.com"),
            Case(value: "<a@example.com>", written: "<a@example.com>"),
            Case(value: "", written: "\"\""),
            Case(value: "two words", written: "\"two words\""),
            Case(value: "x\r\ny action=accept", written: "\"x??y action=accept\""),
            Case(value: "say \"no\" \\", written: "\"say \\\"no\\\" \\\\\""),
            Case(value: "a=b", written: "\"a=b\""),
            Case(value: "é\u{0}", written: "é?"),
            Case(value: String(repeating: "a", count: 600), written: String(repeating: "a", count: 512)),
        ]
    )
    func quotes(_ example: Case) {
        var line = LogLine(subject: Array("4XyZ1".utf8))
        line.add(.helo, example.value)
        line.add(.rcpts, 2)
        #expect(String(decoding: line.text, as: UTF8.self) == "4XyZ1: helo=\(example.written) rcpts=2")
    }

    @Test("the JSON form holds the same fields")
    func json() {
        var line = LogLine(subject: Array("4XyZ1".utf8))
        line.add(.action, "accept")
        line.add(.helo, "a\"b\n")
        line.add(.rcpts, 2)
        line.add(.rule, nil as String?)
        #expect(
            String(decoding: line.json(at: 1_795_000_000), as: UTF8.self)
                == #"{"action":"accept","helo":"a\"b\n","id":"4XyZ1","rcpts":2,"time":"2026-11-18T11:06:40Z"}"#
        )
    }

    @Test("a line about no message is one line in either format")
    func notice() {
        let line = NoticeLine(level: .warning, message: "no\nroom", metadata: ["b": "2", "a": "1"])
        #expect(String(decoding: line.octets(as: .text), as: UTF8.self) == "warning: no room a=1 b=2")
        let json = line.octets(as: .json, at: 1_795_000_000)
        #expect(
            String(decoding: json, as: UTF8.self)
                == #"{"a":"1","b":"2","level":"warning","message":"no\nroom","time":"2026-11-18T11:06:40Z"}"#
        )
    }
}
