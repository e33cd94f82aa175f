public import MailSyntax

/// The SMTP envelope of a message.
public struct Envelope: Sendable {
    /// The client's address; nil for local mail or an unknown address.
    public var clientAddress: IPAddress?
    /// The argument of the client's HELO or EHLO.
    public var helo: [UInt8]
    /// The reverse-path without angle brackets; empty for the null sender.
    public var sender: [UInt8]
    /// Whether MAIL FROM is known; a stored message may not tell it, and then it is not checked.
    public var isSenderKnown = true
    /// The forward-paths that were not refused, without angle brackets.
    public var recipients: [[UInt8]]
    /// Whether the client has authenticated, or is trusted by its address.
    public var isTrusted: Bool
    /// The relay of our own that passed on the message from the client; nil where the client came here itself.
    public var relay: Relay?

    /// An envelope.
    public init(
        clientAddress: IPAddress? = nil,
        helo: [UInt8] = [],
        sender: [UInt8] = [],
        recipients: [[UInt8]] = [],
        isTrusted: Bool = false,
        relay: Relay? = nil
    ) {
        self.clientAddress = clientAddress
        self.helo = helo
        self.sender = sender
        self.recipients = recipients
        self.isTrusted = isTrusted
        self.relay = relay
    }
}
