public import MailSyntax

/// What SMTP said about a message.
public struct Envelope: Sendable {
    /// The client's address; nil for local mail or when it is not known.
    public var clientAddress: IPAddress?
    /// What the client called itself.
    public var helo: [UInt8]
    /// The reverse-path without angle brackets; empty for the null sender.
    public var sender: [UInt8]
    /// The forward-paths without angle brackets that were not refused.
    public var recipients: [[UInt8]]
    /// Whether the client has authenticated itself or is trusted by its address.
    public var isTrusted: Bool

    /// An envelope.
    public init(
        clientAddress: IPAddress? = nil,
        helo: [UInt8] = [],
        sender: [UInt8] = [],
        recipients: [[UInt8]] = [],
        isTrusted: Bool = false
    ) {
        self.clientAddress = clientAddress
        self.helo = helo
        self.sender = sender
        self.recipients = recipients
        self.isTrusted = isTrusted
    }
}
