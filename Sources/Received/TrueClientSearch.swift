public import MailSyntax

/// Why the true client of a relayed message is not known.
public enum UnreadablePath: Error, Hashable, Sendable {
    /// A field does not say who handed the message to whom.
    case field(ReceivedProblem)
    /// The topmost field that counts is not by a host of ours.
    case foreign(DomainName)
    /// There are more steps between hosts of ours than are followed.
    case tooManySteps
    /// All fields are steps between hosts of ours, or there is no field.
    case noClient
}

extension UnreadablePath {
    /// Whether words of the client must have brought it about.
    public var isOfClient: Bool {
        switch self {
        case .field(let problem): problem.isOfClient
        case .foreign, .tooManySteps, .noClient: false
        }
    }
}

extension UnreadablePath: CustomStringConvertible {
    /// The reason in one printable line.
    public var description: String {
        switch self {
        case .field(let problem): "Received field of the relay cannot be read: \(problem)"
        case .foreign(let host): "Received field is by \(host), which is not in trust.relays.by"
        case .tooManySteps: "more than \(TrueClientSearch.maximumSteps) steps between relays"
        case .noClient: "no Received field names a client from outside"
        }
    }
}

/// Finds the client from which hosts of our own had a message, by the Received fields that these hosts wrote.
///
/// Each host puts its field on top (RFC 5321 § 4.4), so the fields from the top are ours as long as each is by one of our
/// hosts and the field above it says that one of our hosts sent it. The first field whose client is another host is the
/// last one that is read: all below it came from that client.
public struct TrueClientSearch: Sendable {
    /// The client from which our hosts had the message.
    public struct Client: Hashable, Sendable {
        /// Its address.
        public let address: IPAddress
        /// The argument of its HELO or EHLO; empty where that is not known.
        public let helo: [UInt8]
    }

    /// The most steps between hosts of our own that are followed.
    public static let maximumSteps = 5

    private static let loopback = [IPNetwork("127.0.0.0/8"), IPNetwork("::1")].compactMap { $0 }

    private let names: Set<DomainName>
    private let isRelay: @Sendable (IPAddress) -> Bool
    private var stepCount = 0
    /// The client, or why it is not known; nil as long as fields are wanted.
    public private(set) var outcome: Result<Client, UnreadablePath>?

    /// A search.
    ///
    /// - Parameters:
    ///   - names: the names by which our relays call themselves in the fields that they write.
    ///   - isRelay: whether an address is that of a relay of ours.
    public init(names: Set<DomainName>, isRelay: @escaping @Sendable (IPAddress) -> Bool) {
        self.names = names
        self.isRelay = isRelay
    }

    /// Takes the value of the next Received field from the top.
    public mutating func take(_ value: Octets) {
        guard outcome == nil else { return }
        do throws(ReceivedProblem) {
            take(try ReceivedField(parsing: value))
        } catch {
            outcome = .failure(.field(error))
        }
    }

    private mutating func take(_ field: ReceivedField) {
        guard names.contains(field.host) else {
            outcome = .failure(.foreign(field.host))
            return
        }
        guard isOurs(field.client) else {
            outcome = .success(Client(address: field.client, helo: field.helo))
            return
        }
        stepCount += 1
        if stepCount > Self.maximumSteps { outcome = .failure(.tooManySteps) }
    }

    private func isOurs(_ address: IPAddress) -> Bool {
        Self.loopback.contains { $0.contains(address) } || isRelay(address)
    }

    /// Ends the header: without a client so far, there is none.
    public mutating func end() {
        if outcome == nil { outcome = .failure(.noClient) }
    }
}
