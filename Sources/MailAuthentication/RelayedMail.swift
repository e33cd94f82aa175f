internal import AuthenticationResults
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
        /// Why nothing was found.
        case unreadable(String)
    }

    /// The relay's address.
    let address: IPAddress
    /// Answers the questions about the true client.
    let resolver: any DNSResolving
    private let authservID: Octets?
    private var search: TrueClientSearch
    /// Whether the topmost Received field may be by the host that had the message from the relay.
    private var isStored: Bool
    /// What was found when the message was judged before.
    private let known: Relay?
    /// What was found; nil as long as fields are wanted.
    private(set) var finding: Finding?

    /// A message that the relay with this address passes on.
    init(_ settings: RelaySettings, address: IPAddress, isStored: Bool, resolver: any DNSResolving) {
        self.address = address.unmapped
        self.isStored = isStored
        known = nil
        self.resolver = resolver
        authservID = settings.results
        search = TrueClientSearch(names: settings.names, isRelay: settings.networks.contains)
    }

    /// A message of whose relay this was found before.
    init(known: Relay, resolver: any DNSResolving) {
        address = known.address
        isStored = false
        self.known = known
        self.resolver = resolver
        authservID = nil
        search = TrueClientSearch(names: []) { _ in false }
    }

    /// What the envelope says of the relay.
    var relay: Relay {
        if let known { return known }
        return switch finding {
        case .client?: Relay(address: address, state: .client)
        case .results?: Relay(address: address, state: .results)
        case .unreadable(let reason)?: Relay(address: address, state: .unreadable, problem: reason)
        case nil: Relay(address: address)
        }
    }

    /// Whether fields are wanted.
    var isOpen: Bool { finding == nil && known == nil }

    /// Whether nothing can be found.
    var isUnreadable: Bool {
        if case .unreadable? = finding { return true }
        return known?.state == .unreadable
    }

    /// Takes the next field from the top, and returns what is found then.
    func take(_ field: HeaderField) -> Finding? {
        if let authservID {
            if field.isNamed("Authentication-Results") { finding = Self.finding(field.value, of: authservID) }
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
        if let authservID {
            finding = .unreadable(
                "no Authentication-Results of \(FieldText.printable(authservID, limit: 255)[...].text)"
            )
        } else {
            search.end()
            finding = search.finding
        }
    }

    /// What an Authentication-Results field says, if it is the upstream host's and says anything of SPF.
    ///
    /// RFC 8601 § 5: the upstream host "MUST" delete fields with its own authserv-id that come from outside. A field that
    /// claims its name and cannot be read is not skipped, because a lower one may be older.
    private static func finding(_ value: Octets, of authservID: Octets) -> Finding? {
        do {
            let field = try AuthenticationResultsField(parsing: value)
            guard field.authservID.equalsIgnoringCase(authservID) else { return nil }
            return UpstreamResults(field).map { .results($0) }
        } catch {
            guard AuthenticationResultsField.belongs(to: authservID, value: value) else { return nil }
            return .unreadable("Authentication-Results of the relay cannot be read")
        }
    }
}

extension TrueClientSearch {
    fileprivate var finding: RelayedMail.Finding? {
        switch outcome {
        case .success(let client)?: .client(client)
        case .failure(let reason)?: .unreadable(reason.description)
        case nil: nil
        }
    }
}
