public import MailSyntax

/// The header fields that are added to a judged message, and those that are deleted from it.
public struct HeaderSettings: Hashable, Sendable {
    /// The name by which this host signs its results (RFC 8601 § 2.5).
    public var authservID: Octets
    /// Whether Authentication-Results is written.
    public var authenticationResults = true
    /// Whether Received-SPF is written (RFC 7208 § 9.1).
    public var receivedSPF = false
    /// Whether X-SID-PRA and X-SID-Result are written.
    public var senderID = true
    /// Whether X-DKIM-Result is written.
    public var dkim = true
    /// Whether X-AUTH-Result is written.
    public var authResult = false
    /// The field that is added to junk mail.
    public var junk = NewField(name: "X-Spam-Flag", value: Array("YES".utf8))
    /// Whether to delete fields that claim to come from this host: Authentication-Results with its authserv-id, and
    /// fields that only this host writes.
    public var removeForged = true
    /// Whether to delete every Authentication-Results field, whatever its authserv-id, and fields that only this host
    /// writes.
    public var removeForeign = false
    /// Whether to keep deleted Authentication-Results fields under another name.
    public var keepRemoved = false

    /// The default fields, with this host's authserv-id.
    public init(authservID: Octets) {
        self.authservID = authservID
    }
}

/// A header field to add; the lines of the value are joined by LF, without a leading space.
public struct NewField: Hashable, Sendable {
    /// The field's name.
    public let name: String
    /// The field's value.
    public let value: [UInt8]

    /// A field from its parts.
    public init(name: String, value: [UInt8]) {
        self.name = name
        self.value = value
    }
}
