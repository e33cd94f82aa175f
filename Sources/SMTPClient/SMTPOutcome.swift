/// What became of a message that was handed to a server.
public enum SMTPOutcome: Sendable, Hashable {
    /// The server has taken the message.
    case accepted(SMTPReply)
    /// The server will never take it like this (5xx), or the message needs an extension that it does not offer.
    case refused(SMTPProblem, at: SMTPStage)
    /// The server did not take it now: 4xx, or no sound reply before the message was complete.
    case deferred(SMTPProblem, at: SMTPStage)
    /// The message was complete, and no sound reply came: the server may have taken it.
    ///
    /// The same message must go again with the same Message-ID, so that a receiver can tell (RFC 5321 § 4.5.3.2.6).
    case unknown(SMTPProblem)
}

/// Where in the dialogue something happened.
public enum SMTPStage: String, Sendable, Hashable, CaseIterable {
    /// While connecting.
    case connection
    /// Before the server's first reply.
    case greeting
    /// EHLO or HELO.
    case hello
    /// MAIL.
    case mail
    /// RCPT.
    case recipient
    /// DATA.
    case data
    /// While the message was sent.
    case content
    /// After the final dot.
    case end
}

/// Why a message was not taken.
public enum SMTPProblem: Sendable, Hashable {
    /// The server said so.
    case reply(SMTPReply)
    /// The server did not reply in time.
    case timeout
    /// The connection ended.
    case closed
    /// No connection, with the system's words.
    case unreachable(String)
    /// Octets that are no reply, a reply without end, or one at the wrong time.
    case badReply
    /// The server takes messages of so many octets at most (RFC 1870).
    case tooLarge(limit: Int)
    /// The message has octets above 127, and the server does not offer 8BITMIME (RFC 6152).
    case no8BitMIME
    /// An address or the header has octets above 127, and the server does not offer SMTPUTF8 (RFC 6531).
    case noSMTPUTF8
}

extension SMTPOutcome {
    /// Whether the message was refused for its recipient's or its own sake, and not because the server refuses us.
    ///
    /// A refusal of the connection, of EHLO or of the sender says nothing about the recipient: it hits all messages. And
    /// a server that does not let us send to others says nothing of them (RFC 3463 § 3.8, X.7.1: "Delivery not
    /// authorized"), as in "554 5.7.1 Relay access denied".
    public var isRefusedForRecipient: Bool {
        guard case .refused(let problem, let stage) = self else { return false }
        switch stage {
        case .recipient where problem.isOfAuthorization: return false
        case .recipient, .content, .end: return true
        case .connection, .greeting, .hello, .mail, .data: return false
        }
    }
}

extension SMTPProblem {
    /// Whether the server says that we may not send this (RFC 3463 § 3.8).
    fileprivate var isOfAuthorization: Bool {
        guard case .reply(let reply) = self, let status = reply.lines.first?.split(separator: " ").first else {
            return false
        }
        return status == "5.7.1"
    }
}

extension SMTPOutcome: CustomStringConvertible {
    /// The outcome on one line, as `refused at RCPT: 550 5.1.1 no such user`.
    public var description: String {
        switch self {
        case .accepted(let reply): "accepted: \(reply)"
        case .refused(let problem, let stage): "refused \(stage): \(problem)"
        case .deferred(let problem, let stage): "deferred \(stage): \(problem)"
        case .unknown(let problem): "unknown after the final dot: \(problem)"
        }
    }
}

extension SMTPOutcome {
    /// The outcome as a sentence for people, such as `127.0.0.1:25 closed the connection at RCPT`.
    ///
    /// - Parameter server: the server that was talked to.
    public func sentence(about server: SMTPServer) -> String {
        switch self {
        case .accepted(let reply): "\(server) said: \(reply)"
        case .refused(let problem, let stage), .deferred(let problem, let stage):
            problem.sentence(about: server, stage)
        case .unknown(let problem): problem.sentence(about: server, .end) + ", and may have taken it"
        }
    }
}

extension SMTPProblem {
    fileprivate func sentence(about server: SMTPServer, _ stage: SMTPStage) -> String {
        switch self {
        case .reply(let reply): "\(server) said \(stage): \(reply)"
        case .timeout: "\(server) did not reply in time \(stage)"
        case .closed: "\(server) closed the connection \(stage)"
        case .unreachable(let why): "\(server) cannot be reached: \(why)"
        case .badReply: "\(server) did not reply as an SMTP server does \(stage)"
        case .tooLarge(let limit): "\(server) takes at most \(limit) octets"
        case .no8BitMIME: "\(server) does not offer 8BITMIME"
        case .noSMTPUTF8: "\(server) does not offer SMTPUTF8"
        }
    }
}

extension SMTPStage: CustomStringConvertible {
    /// The stage as the end of a sentence, as `at RCPT`.
    public var description: String {
        switch self {
        case .connection: "at the connection"
        case .greeting: "at the greeting"
        case .hello: "at EHLO"
        case .mail: "at MAIL"
        case .recipient: "at RCPT"
        case .data: "at DATA"
        case .content: "within the message"
        case .end: "after the message"
        }
    }
}

extension SMTPProblem: CustomStringConvertible {
    /// The problem in words.
    public var description: String {
        switch self {
        case .reply(let reply): reply.description
        case .timeout: "no reply in time"
        case .closed: "the connection was closed"
        case .unreachable(let why): why
        case .badReply: "not a reply of an SMTP server"
        case .tooLarge(let limit): "the server takes at most \(limit) octets"
        case .no8BitMIME: "the server does not offer 8BITMIME"
        case .noSMTPUTF8: "the server does not offer SMTPUTF8"
        }
    }
}
