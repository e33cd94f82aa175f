public import MailSyntax

/// A Received field, as far as it says who handed the message to whom (RFC 5321 § 4.4).
public struct ReceivedField: Hashable, Sendable {
    /// The client's address, with an IPv4-mapped address as IPv4.
    public let client: IPAddress
    /// The argument of the client's HELO or EHLO; empty where the field does not say.
    public let helo: [UInt8]
    /// The host that wrote the field.
    public let host: DomainName

    init(client: IPAddress, helo: Octets, host: DomainName) {
        self.client = client.unmapped
        self.helo = Array(helo)
        self.host = host
    }
}

/// Why a Received field does not say who handed the message to whom.
public enum ReceivedProblem: Error, Hashable, Sendable, CaseIterable {
    /// It is longer than any mail server writes it.
    case tooLong
    /// A parenthesis has no counterpart, or an octet is not allowed.
    case malformed
    /// Words of the client look like words of the server, so that it can be read in more than one way.
    case ambiguous
    /// It has no `from`: the message was submitted on the host itself.
    case noClient
    /// The part about the client names no address, or none where a known server writes it.
    case noAddress
    /// It has no `by` with a host name behind the part about the client.
    case noHost
}

extension ReceivedProblem {
    /// Whether words of the client must have made the field so: no server writes such a field by itself.
    public var isOfClient: Bool {
        switch self {
        case .tooLong, .malformed, .ambiguous: true
        case .noClient, .noAddress, .noHost: false
        }
    }
}

extension ReceivedProblem: CustomStringConvertible {
    /// The problem in a few words.
    public var description: String {
        switch self {
        case .tooLong: "it is too long"
        case .malformed: "it is malformed"
        case .ambiguous: "the client's words in it look like the server's"
        case .noClient: "it names no client"
        case .noAddress: "it has no address of the client where one is known to stand"
        case .noHost: "it has no name of the host that wrote it"
        }
    }
}
