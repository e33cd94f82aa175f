internal import ArgumentParser
internal import CommandSupport
internal import MailAuthentication
internal import MailSyntax
internal import PosternSetup

/// The options for the client's SMTP data, and the message.
struct TransactionArguments: ParsableArguments {
    @Option(name: .customLong("client-ip"), help: "The client's IP address.")
    var clientIP: String?

    @Option(help: "The name the client gave in HELO or EHLO.")
    var helo: String?

    @Option(help: "The argument of MAIL FROM; '' or '<>' is the null sender.")
    var mailFrom: String?

    @Option(parsing: .upToNextOption, help: "The arguments of RCPT TO.")
    var rcptTo: [String] = []

    @Argument(help: "The message; '-' is the standard input.")
    var message: String?

    mutating func validate() throws {
        // In "--rcpt-to b@example.net message.eml", the parser takes the message for a recipient.
        if message == nil, let last = rcptTo.last, last == "-" || !last.contains("@"), rcptTo.count > 1 {
            message = rcptTo.removeLast()
        }
        if let clientIP, IPAddress(clientIP) == nil {
            throw ValidationError(
                "--client-ip: '\(clientIP)' is no IP address; expected one such as 192.0.2.1 or 2001:db8::1"
            )
        }
    }

    /// Whether nothing was given.
    var isEmpty: Bool { clientIP == nil && helo == nil && mailFrom == nil && rcptTo.isEmpty && message == nil }

    /// What SMTP said, as far as it was given; the rest is what the message says of it, which is told.
    ///
    /// - Parameter message: the message; nil when the envelope alone is judged.
    func envelope(_ message: StoredMessage?) -> Envelope {
        var envelope = Envelope(
            clientAddress: clientIP.flatMap { IPAddress($0) },
            helo: Array((helo ?? "").utf8),
            sender: Array(SMTPPath(Octets(mailFrom ?? "")).mailbox),
            recipients: rcptTo.map { Array(SMTPPath(Octets($0)).mailbox) }
        )
        if clientIP == nil, helo == nil, let message { takeClient(of: message, &envelope) }
        if mailFrom == nil { takeSender(of: message, &envelope) }
        return envelope
    }

    private func takeClient(of message: StoredMessage, _ envelope: inout Envelope) {
        guard let client = ReceivedClient(message.headers) else {
            Report.write(
                "--client-ip is missing, and no Received field names a client: only what needs none is checked"
            )
            return
        }
        envelope.clientAddress = client.address
        envelope.helo = client.helo
        let helo = client.helo.isEmpty ? "" : ", --helo \(FieldText.printable(client.helo[...], limit: 320)[...].text)"
        Report.write("--client-ip \(client.address)\(helo): taken from the topmost Received field")
    }

    private func takeSender(of message: StoredMessage?, _ envelope: inout Envelope) {
        envelope.takeSender(of: message)
        if envelope.isSenderKnown {
            let sender = FieldText.printable(envelope.sender[...], limit: 320)[...].text
            Report.write("--mail-from '\(sender)': taken from the Return-Path field")
        } else if envelope.clientAddress != nil {
            Report.write("--mail-from is missing: MAIL FROM is not checked; '<>' is the null sender")
        }
    }

    /// Says that the filter would not judge mail of this client, where it would not.
    func noteExemption(_ setup: Setup, _ envelope: Envelope) {
        guard let client = envelope.clientAddress, let setting = setup.exemption(of: client) else { return }
        Report.write("\(client) is in \(setting): the filter would not judge its mail, as is done here all the same")
    }

    /// The message; nil when only the envelope is judged.
    func storedMessage() throws -> StoredMessage? {
        try message.map { StoredMessage(try InputFile.read($0)[...]) }
    }
}

extension Envelope {
    /// Takes the sender that nobody gave from the message's Return-Path field; without one the sender is not known.
    mutating func takeSender(of message: StoredMessage?) {
        if let path = message?.headers.fields(named: "Return-Path").first {
            sender = Array(SMTPPath(path.value.trimmed).mailbox)
        } else {
            isSenderKnown = false
        }
    }
}
