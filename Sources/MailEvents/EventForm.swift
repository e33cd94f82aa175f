internal import MailSyntax

/// How this host writes its events.
public struct EventForm: Sendable {
    /// The name of the host.
    public var host: String
    /// Which parts of addresses are written.
    public var addresses: MailEvent.Addresses
    /// Whether the answers of messages that passed cleanly are written.
    public var hasCleanAnswers: Bool
    /// Whether the answers of other messages are written.
    public var hasUncleanAnswers: Bool

    /// A form.
    ///
    /// - Parameters:
    ///   - host: the name of the host.
    ///   - addresses: which parts of addresses are written; without local parts, texts that may repeat one are left out.
    ///   - hasCleanAnswers: whether the answers of messages that passed cleanly are written.
    ///   - hasUncleanAnswers: whether the answers of other messages are written.
    public init(host: String, addresses: MailEvent.Addresses, hasCleanAnswers: Bool, hasUncleanAnswers: Bool) {
        self.host = host
        self.addresses = addresses
        self.hasCleanAnswers = hasCleanAnswers
        self.hasUncleanAnswers = hasUncleanAnswers
    }

    /// Whether local parts are written.
    var hasLocalParts: Bool { addresses == .full }

    /// The part of a mailbox that is written: `@` stands for a mailbox without a domain, nothing for none.
    func mailbox(_ mailbox: Octets) -> Octets {
        guard !hasLocalParts else { return mailbox }
        // As rules read it.
        let mailbox = SMTPPath(mailbox).mailbox
        guard !mailbox.isEmpty else { return mailbox }
        guard let at = mailbox.separatorOfMailbox else { return [UInt8(ascii: "@")] }
        return mailbox[at...]
    }
}
