/// The result of an SPF check for a client and a domain (RFC 7208 § 2.6).
///
/// The raw values are the words in Received-SPF and Authentication-Results (RFC 7208 § 9.1, RFC 8601 § 2.7.2).
public enum SPFResult: String, Hashable, Sendable, CaseIterable {
    /// There is no domain to look up, or it publishes no record.
    case none
    /// The domain says nothing about this client.
    case neutral
    /// The client may send mail for the domain.
    case pass
    /// The client may not send mail for the domain.
    case fail
    /// The client probably may not send mail for the domain.
    case softfail
    /// The DNS did not answer; it may answer later.
    case temperror
    /// The domain's records cannot be parsed, or require too many lookups.
    case permerror
}

/// The identity that is checked (RFC 7208 § 2.2, RFC 4406 § 2).
public enum SPFScope: String, Hashable, Sendable {
    /// The reverse-path of SMTP's MAIL command.
    case mfrom
    /// The name that the client gave in HELO or EHLO.
    case helo
    /// The purported responsible address of a message.
    case pra
}
