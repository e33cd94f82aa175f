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

    /// The part of a mailbox that is written: `@` stands for a mailbox without a host, nothing for none.
    func mailbox(_ mailbox: Octets) -> Octets {
        guard !hasLocalParts else { return mailbox }
        // As rules read it.
        let mailbox = SMTPPath(mailbox).mailbox
        guard !mailbox.isEmpty else { return mailbox }
        guard let at = mailbox.separatorOfMailbox, mailbox[(at + 1)...].isHost else { return [UInt8(ascii: "@")] }
        return mailbox[at...]
    }

    /// A name that is written: without local parts only that of a host, because any octets can be a name in the DNS, and a
    /// mailbox without a domain is one.
    func host(_ name: DomainName?) -> DomainName? {
        name.flatMap { hasLocalParts || ($0.isHostName && $0.labelCount > 1) ? $0 : nil }
    }

    /// A text that may repeat a local part.
    func text(_ text: @autoclosure () -> String?) -> String? { hasLocalParts ? text() : nil }
}

extension ArraySlice<UInt8> {
    /// Whether this is a host's name or address, as RFC 5321 § 4.1.2 has them behind the `@`, and nothing else.
    fileprivate var isHost: Bool {
        if first == UInt8(ascii: "["), last == UInt8(ascii: "]") {
            let literal = dropFirst().dropLast().text
            return IPAddress(literal.lowercased().hasPrefix("ipv6:") ? String(literal.dropFirst(5)) : literal) != nil
        }
        return (try? DomainName(unicode: self))?.isHostName == true
    }
}
