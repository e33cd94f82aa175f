public import MailSyntax

/// Which header fields a judged message gets, and which it loses.
public struct HeaderSettings: Hashable, Sendable {
    /// The name under which this host reports (RFC 8601 § 2.5).
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
    /// The field that is added to junk.
    public var junk = NewField(name: "X-Spam-Flag", value: Array("YES".utf8))
    /// Whether fields that claim to be of this host are deleted: Authentication-Results with its authserv-id, and what
    /// only this host writes.
    public var removeForged = true
    /// Whether every Authentication-Results field is deleted, whoever signed it, and what only this host writes.
    public var removeForeign = false
    /// Whether deleted Authentication-Results fields are kept under another name.
    public var keepRemoved = false

    /// The default fields, reported by this host.
    public init(authservID: Octets) {
        self.authservID = authservID
    }
}

/// A header field to add: the value has its lines joined by LF and no space in front.
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
