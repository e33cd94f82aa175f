internal import DNSLookup
internal import MailSyntax
internal import Policy
internal import Received

/// A message that a relay of our own passed on: who sent it to the relay, as its header tells.
///
/// A class, so that a message that comes directly carries a pointer only.
final class RelayedMail {
    /// What was found.
    enum Finding {
        /// The true client, by the Received fields.
        case client(TrueClientSearch.Client)
        /// What an upstream host says it found.
        case results(UpstreamResults)
        /// Why nothing was found, and whether the client has brought that about.
        case unreadable(String, byClient: Bool)
    }

    /// The relay's address.
    let address: IPAddress
    /// Answers the questions about the true client.
    let resolver: any DNSResolving
    /// The search for an upstream host's results, where these count in place of the Received fields.
    private var upstream: UpstreamSearch?
    private var search: TrueClientSearch
    /// Whether the topmost Received field may be by the host that had the message from the relay.
    private var isStored: Bool
    /// Whether the sender's address has what makes a result malformed where a host writes it without quotes.
    private let isSenderQuoted: Bool
    /// What was found when the message was judged before.
    private let known: Relay?
    /// What was found; nil as long as fields are wanted.
    private(set) var finding: Finding?

    /// A message of this sender that the relay with this address passes on.
    init(_ settings: RelaySettings, address: IPAddress, sender: [UInt8], isStored: Bool, resolver: any DNSResolving) {
        self.address = address.unmapped
        self.isStored = isStored
        isSenderQuoted = sender.contains { " ()<>;\"\\".utf8.contains($0) || $0 < 0x20 }
        known = nil
        self.resolver = resolver
        upstream = settings.results.map { UpstreamSearch($0) }
        search = TrueClientSearch(names: settings.names, isRelay: settings.networks.contains)
    }

    /// A message of whose relay this was found before.
    init(known: Relay, resolver: any DNSResolving) {
        address = known.address
        isStored = false
        isSenderQuoted = false
        self.known = known
        self.resolver = resolver
        upstream = nil
        search = TrueClientSearch(names: []) { _ in false }
    }

    /// What the envelope says of the relay.
    var relay: Relay {
        if let known { return known }
        return switch finding {
        case .client?: Relay(address: address, state: .client)
        case .results?: Relay(address: address, state: .results)
        case .unreadable(let reason, let byClient)?:
            Relay(address: address, state: byClient ? .disguised : .unreadable, problem: reason)
        case nil: Relay(address: address)
        }
    }

    /// Whether fields are wanted.
    var isOpen: Bool { finding == nil && known == nil }

    /// Takes the next field from the top, and returns what is found then.
    func take(_ field: HeaderField) -> Finding? {
        if upstream != nil {
            upstream?.take(field)
            finding = upstream?.finding(isSenderQuoted: isSenderQuoted)
        } else if field.isNamed("Received"), !isOfReceiver(field) {
            search.take(field.value)
            finding = search.finding
        }
        return finding
    }

    /// Whether a field is by the host that had the message from the relay; a filter does not see that field.
    private func isOfReceiver(_ field: HeaderField) -> Bool {
        defer { isStored = false }
        return isStored && (try? ReceivedField(parsing: field.value))?.client == address
    }

    /// Ends the header.
    func end() {
        guard isOpen else { return }
        if upstream != nil {
            upstream?.end()
            finding = upstream?.finding(isSenderQuoted: isSenderQuoted)
        } else {
            search.end()
            finding = search.finding
        }
    }
}

extension UpstreamSearch {
    fileprivate func finding(isSenderQuoted: Bool) -> RelayedMail.Finding? {
        switch outcome {
        case .success(let results)?: .results(results)
        case .failure(.malformed)?: .unreadable(Problem.malformed.description, byClient: isSenderQuoted)
        case .failure(let problem)?: .unreadable(problem.description, byClient: problem == .ambiguous)
        case nil: nil
        }
    }
}

extension TrueClientSearch {
    fileprivate var finding: RelayedMail.Finding? {
        switch outcome {
        case .success(let client)?: .client(client)
        case .failure(let reason)?: .unreadable(reason.description, byClient: reason.isOfClient)
        case nil: nil
        }
    }
}
