internal import MailSyntax

/// The next step of a client.
enum SMTPStep: Sendable, Hashable {
    /// Write a command, or the last block of the message, and wait for the reply.
    case send([UInt8])
    /// Write a block of the message, and say when it is written.
    case write([UInt8])
    /// Nothing more: the message has met its outcome. QUIT is due unless the server cannot be talked to.
    case end(SMTPOutcome, quits: Bool)
}

/// The client's side of the dialogue that hands one message to a server (RFC 5321 § 3.3), without I/O or clock.
///
/// Without a message, it ends when the server has greeted.
struct SMTPDialogue {
    /// The command at the end of a dialogue.
    static let quit = Array("QUIT\r\n".utf8)

    /// What the server's next reply is about.
    private(set) var stage = SMTPStage.greeting
    private let message: SMTPMessage?
    /// The name or address literal of this host (RFC 5321 § 4.1.1.1).
    private let hello: String
    private var offers = SMTPOffers()
    private var isOldHello = false
    private var content: SMTPContent

    init(_ message: SMTPMessage?, hello: String) {
        self.message = message
        self.hello = hello
        content = SMTPContent(message?.octets ?? [])
    }

    /// Takes a reply of the server.
    mutating func receive(_ reply: SMTPReply) -> SMTPStep {
        switch (stage, reply.kind) {
        // RFC 5321 § 4.2.1: the first digit says enough; only DATA is answered by 3yz.
        case (.data, 3): return begin()
        case (.connection, _), (.content, 2...3), (_, 3), (.data, 2): return failed(.badReply)
        case (_, 2): return accepted(reply)
        case (.hello, 5) where !isOldHello:
            // RFC 5321 § 3.2: a server that does not know EHLO is asked with HELO.
            isOldHello = true
            return command(.hello, "HELO \(hello)")
        // Within the message, QUIT would be a line of it.
        case (_, 5): return .end(.refused(.reply(reply), at: stage), quits: stage != .content)
        default:
            // RFC 5321 § 3.8: after 421 the server closes the connection.
            return .end(.deferred(.reply(reply), at: stage), quits: stage != .content && reply.code != 421)
        }
    }

    /// The block before has been written.
    mutating func written() -> SMTPStep? {
        guard stage == .content else { return nil }
        let block = content.next()
        guard content.isComplete else { return .write(block) }
        stage = .end
        return .send(block)
    }

    /// The connection cannot be used any more, or not sensibly.
    func failed(_ problem: SMTPProblem) -> SMTPStep {
        .end(stage == .end ? .unknown(problem) : .deferred(problem, at: stage), quits: false)
    }

    private mutating func accepted(_ reply: SMTPReply) -> SMTPStep {
        guard let message else { return .end(.accepted(reply), quits: true) }
        switch stage {
        case .greeting: return command(.hello, "EHLO \(hello)")
        case .hello:
            if !isOldHello { offers = SMTPOffers(reply) }
            if let problem = offers.problem(with: message) {
                return .end(.refused(problem, at: .hello), quits: true)
            }
            return command(.mail, "MAIL FROM:<", message.sender, ">" + offers.parameters(for: message))
        case .mail: return command(.recipient, "RCPT TO:<", message.recipient, ">")
        case .recipient: return command(.data, "DATA")
        case .end: return .end(.accepted(reply), quits: true)
        case .connection, .data, .content: return failed(.badReply)
        }
    }

    private mutating func begin() -> SMTPStep {
        stage = .content
        return written() ?? failed(.badReply)
    }

    private mutating func command(
        _ next: SMTPStage,
        _ verb: String,
        _ address: [UInt8] = [],
        _ rest: String = ""
    ) -> SMTPStep {
        stage = next
        return .send(Array(verb.utf8) + address + Array((rest + "\r\n").utf8))
    }
}

/// What a server offers (RFC 5321 § 4.1.1.1), as far as it concerns us.
struct SMTPOffers: Sendable, Hashable {
    var has8BitMIME = false
    var hasSMTPUTF8 = false
    var hasSize = false
    /// The most octets of a message; nil for no fixed bound.
    var maximumSize: Int?

    init() {}

    /// Reads the lines of the reply to EHLO after the first.
    init(_ reply: SMTPReply) {
        for line in reply.lines.dropFirst() {
            let words = line.split(separator: " ")
            switch words.first?.uppercased() {
            case "8BITMIME": has8BitMIME = true
            case "SMTPUTF8": hasSMTPUTF8 = true
            case "SIZE":
                hasSize = true
                // RFC 1870 § 4: no number, or zero, is no fixed bound.
                maximumSize = words.dropFirst().first.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
            default: break
            }
        }
    }

    /// Why the server cannot be given the message; nil when it can.
    func problem(with message: SMTPMessage) -> SMTPProblem? {
        if message.needsSMTPUTF8, !hasSMTPUTF8 { return .noSMTPUTF8 }
        // RFC 6531 § 3.1: with SMTPUTF8 comes 8BITMIME.
        if message.has8Bit, !has8BitMIME, !hasSMTPUTF8 { return .no8BitMIME }
        if let maximumSize, message.octets.count > maximumSize { return .tooLarge(limit: maximumSize) }
        return nil
    }

    /// The parameters of MAIL: each where the server offers it and the message needs it.
    func parameters(for message: SMTPMessage) -> String {
        (hasSize ? " SIZE=\(message.octets.count)" : "") + (message.has8Bit ? " BODY=8BITMIME" : "")
            + (message.needsSMTPUTF8 ? " SMTPUTF8" : "")
    }
}
