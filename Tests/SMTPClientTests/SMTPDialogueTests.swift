import Testing

@testable import SMTPClient

@Suite("The dialogue of a client")
struct SMTPDialogueTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var sender = "a@example.org"
        var recipient = "b@example.com"
        var message = "Subject: x\r\n\r\nx\r\n"
        /// The replies of the server, `|` between the lines of one.
        let replies: [String]
        /// What the client says before each reply but the first, and what comes of it.
        let dialogue: [String]
    }

    static let cases = [
        Case(
            testDescription: "a message is taken",
            replies: [
                "220 mx ESMTP", "250-mx|250-SIZE 1000|250-PIPELINING|250 8BITMIME", "250 ok", "250", "354 go",
                "250 2.0.0 q1",
            ],
            dialogue: [
                "EHLO me.example", "MAIL FROM:<a@example.org> SIZE=17", "RCPT TO:<b@example.com>", "DATA",
                "Subject: x||x|.", "accepted: 250 2.0.0 q1; QUIT",
            ]
        ),
        Case(
            testDescription: "§ 3.2: HELO for a server that knows no EHLO",
            replies: ["220 mx", "502 what?", "250 mx", "250 ok", "251 elsewhere", "354", "250 ok"],
            dialogue: [
                "EHLO me.example", "HELO me.example", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA",
                "Subject: x||x|.", "accepted: 250 ok; QUIT",
            ]
        ),
        Case(
            testDescription: "the null sender, and dots at the beginning of lines",
            sender: "",
            message: ".\r\n..a\r\nb.\r\n",
            replies: ["220 mx", "250 mx", "250 ok", "250 ok", "354 go", "250 ok"],
            dialogue: [
                "EHLO me.example", "MAIL FROM:<>", "RCPT TO:<b@example.com>", "DATA", "..|...a|b.|.",
                "accepted: 250 ok; QUIT",
            ]
        ),
        Case(
            testDescription: "RFC 6152, RFC 6531: what is needed is asked for where it is offered",
            recipient: "bäcker@example.com",
            message: "Subject: x\r\n\r\nü\r\n",
            replies: ["220 mx", "250-mx|250-8bitmime|250-SMTPUTF8|250 SIZE", "550 no"],
            dialogue: [
                "EHLO me.example", "MAIL FROM:<a@example.org> SIZE=18 BODY=8BITMIME SMTPUTF8",
                "refused at MAIL: 550 no; QUIT",
            ]
        ),
        Case(
            testDescription: "and not where it is not needed",
            replies: ["220 mx", "250-mx|250-8BITMIME|250 SMTPUTF8", "450 no"],
            dialogue: ["EHLO me.example", "MAIL FROM:<a@example.org>", "deferred at MAIL: 450 no; QUIT"]
        ),
        Case(
            testDescription: "SMTPUTF8 is not offered",
            message: "Subject: ü\r\n\r\nx\r\n",
            replies: ["220 mx", "250-mx|250 8BITMIME"],
            dialogue: ["EHLO me.example", "refused at EHLO: the server does not offer SMTPUTF8; QUIT"]
        ),
        Case(
            testDescription: "8BITMIME is not offered",
            message: "Subject: x\r\n\r\nü\r\n",
            replies: ["220 mx", "250 mx"],
            dialogue: ["EHLO me.example", "refused at EHLO: the server does not offer 8BITMIME; QUIT"]
        ),
        Case(
            testDescription: "RFC 1870: the message is too large",
            replies: ["220 mx", "250-mx|250 SIZE 16"],
            dialogue: ["EHLO me.example", "refused at EHLO: the server takes at most 16 octets; QUIT"]
        ),
        Case(
            testDescription: "RFC 1870: 0 and nonsense are no bound",
            replies: ["220 mx", "250-mx|250-SIZE 0|250 SIZE x", "421 later"],
            dialogue: ["EHLO me.example", "MAIL FROM:<a@example.org> SIZE=17", "deferred at MAIL: 421 later"]
        ),
        Case(
            testDescription: "§ 3.1: the server does not want us",
            replies: ["554 no"],
            dialogue: ["refused at the greeting: 554 no; QUIT"]
        ),
        Case(testDescription: "a busy server", replies: ["421 busy"], dialogue: ["deferred at the greeting: 421 busy"]),
        Case(
            testDescription: "neither EHLO nor HELO",
            replies: ["220 mx", "500 no", "550 no"],
            dialogue: ["EHLO me.example", "HELO me.example", "refused at EHLO: 550 no; QUIT"]
        ),
        Case(
            testDescription: "the recipient is refused",
            replies: ["220 mx", "250 mx", "250 ok", "550-5.1.1 no such|550 5.1.1 user"],
            dialogue: [
                "EHLO me.example", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>",
                "refused at RCPT: 550 5.1.1 no such 5.1.1 user; QUIT",
            ]
        ),
        Case(
            testDescription: "the message is refused",
            replies: ["220 mx", "250 mx", "250 ok", "250 ok", "354 go", "554 spam"],
            dialogue: [
                "EHLO me.example", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA", "Subject: x||x|.",
                "refused after the message: 554 spam; QUIT",
            ]
        ),
        Case(
            testDescription: "§ 4.3.2: 250 is no reply to DATA",
            replies: ["220 mx", "250 mx", "250 ok", "250 ok", "250 go"],
            dialogue: [
                "EHLO me.example", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA",
                "deferred at DATA: not a reply of an SMTP server",
            ]
        ),
        Case(
            testDescription: "354 is no reply to a message",
            replies: ["220 mx", "250 mx", "250 ok", "250 ok", "354 go", "354 go"],
            dialogue: [
                "EHLO me.example", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA", "Subject: x||x|.",
                "unknown after the final dot: not a reply of an SMTP server",
            ]
        ),
        Case(
            testDescription: "334 is no reply to RCPT",
            replies: ["220 mx", "250 mx", "250 ok", "334 go"],
            dialogue: [
                "EHLO me.example", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>",
                "deferred at RCPT: not a reply of an SMTP server",
            ]
        ),
    ]

    @Test("RFC 5321 § 3.3: what the client says to what the server says", arguments: cases)
    func plays(_ test: Case) throws {
        let message = try #require(
            SMTPMessage(from: Array(test.sender.utf8), to: Array(test.recipient.utf8), octets: Array(test.message.utf8))
        )
        var dialogue = SMTPDialogue(message, hello: "me.example")
        var reader = SMTPReplyReader()
        var steps: [String] = []
        for text in test.replies {
            reader.append((text.replacing("|", with: "\r\n") + "\r\n").utf8)
            steps.append(Self.text(dialogue.receive(try #require(try reader.next()))))
        }
        #expect(steps == test.dialogue)
    }

    private static func text(_ step: SMTPStep) -> String {
        switch step {
        case .send(let octets), .write(let octets):
            String(decoding: octets.dropLast(2), as: UTF8.self).replacing("\r\n", with: "|")
        case .end(let outcome, let quits): outcome.description + (quits ? "; QUIT" : "")
        }
    }

    @Test("what fails before the final dot is deferred, afterwards nobody knows", arguments: SMTPStage.allCases)
    func failures(_ stage: SMTPStage) throws {
        let octets = Array(repeating: Array("01234567\r\n".utf8), count: 7000).flatMap { $0 }
        let message = try #require(SMTPMessage(from: [], to: Array("b@example.com".utf8), octets: octets))
        var dialogue = SMTPDialogue(message, hello: "me.example")
        let replies = ["220 mx", "250 mx", "250 ok", "250 ok", "354 go"]
        for reply in replies where dialogue.stage != stage {
            _ = dialogue.receive(SMTPReply(code: Int(reply.prefix(3)) ?? 0, lines: [""]))
        }
        if stage == .end { while dialogue.stage != .end, dialogue.written() != nil {} }
        guard stage != .connection else { return #expect(dialogue.stage == .content) }
        #expect(dialogue.stage == stage)
        let outcome: SMTPOutcome = stage == .end ? .unknown(.timeout) : .deferred(.timeout, at: stage)
        #expect(dialogue.failed(.timeout) == .end(outcome, quits: false))
        // A server that answers before the message is whole.
        guard stage == .content else { return }
        let refusal = SMTPReply(code: 552, lines: ["too much"])
        #expect(dialogue.receive(refusal) == .end(.refused(.reply(refusal), at: .content), quits: false))
        let taken = SMTPReply(code: 250, lines: ["ok"])
        #expect(dialogue.receive(taken) == .end(.deferred(.badReply, at: .content), quits: false))
    }

    @Test("without a message, the greeting is all")
    func greeting() {
        var dialogue = SMTPDialogue(nil, hello: "me.example")
        let reply = SMTPReply(code: 220, lines: ["mx"])
        #expect(dialogue.receive(reply) == .end(.accepted(reply), quits: true))
        var other = SMTPDialogue(nil, hello: "me.example")
        let refusal = SMTPReply(code: 554, lines: ["no"])
        #expect(other.receive(refusal) == .end(.refused(.reply(refusal), at: .greeting), quits: true))
    }

    @Test(
        "an outcome names the server",
        arguments: [
            (
                SMTPOutcome.deferred(.unreachable("Connection refused"), at: .connection),
                "127.0.0.1:25 cannot be reached: Connection refused"
            ),
            (.deferred(.closed, at: .recipient), "127.0.0.1:25 closed the connection at RCPT"),
            (.deferred(.timeout, at: .greeting), "127.0.0.1:25 did not reply in time at the greeting"),
            (
                .deferred(.reply(SMTPReply(code: 450, lines: ["4.2.0 later"])), at: .recipient),
                "127.0.0.1:25 said at RCPT: 450 4.2.0 later"
            ),
            (.unknown(.closed), "127.0.0.1:25 closed the connection after the message, and may have taken it"),
            (.refused(.noSMTPUTF8, at: .hello), "127.0.0.1:25 does not offer SMTPUTF8"),
        ]
    )
    func sentences(_ outcome: SMTPOutcome, _ sentence: String) {
        #expect(outcome.sentence(about: .local) == sentence)
    }

    @Test("which refusals are about the recipient", arguments: SMTPStage.allCases)
    func blame(_ stage: SMTPStage) {
        let isAbout = [.recipient, .content, .end].contains(stage)
        #expect(SMTPOutcome.refused(.badReply, at: stage).isRefusedForRecipient == isAbout)
        #expect(!SMTPOutcome.deferred(.badReply, at: stage).isRefusedForRecipient)
    }

    @Test(
        "RFC 3463 § 3.8: a server that does not relay for us says nothing of the recipient",
        arguments: [
            ("5.7.1 <b@example.com>: Relay access denied", false), ("5.7.10 x", true), ("5.1.1 no such user", true),
            ("no", true), ("", true),
        ]
    )
    func authorization(_ text: String, _ isAbout: Bool) {
        let reply = SMTPProblem.reply(SMTPReply(code: 554, lines: [text]))
        #expect(SMTPOutcome.refused(reply, at: .recipient).isRefusedForRecipient == isAbout)
        #expect(SMTPOutcome.refused(reply, at: .end).isRefusedForRecipient)
    }
}
