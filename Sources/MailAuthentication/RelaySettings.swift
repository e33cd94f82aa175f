public import MailSyntax
public import Policy

/// Hosts of our own that pass on mail from outside (`[trust.relays]`).
public struct RelaySettings: Sendable {
    /// The addresses of the hosts.
    public var networks: NetworkSet
    /// The names by which the hosts call themselves in the Received fields that they write.
    public var names: Set<DomainName>
    /// The authserv-id whose results are used in place of the Received fields; nil for none.
    public var results: Octets?
    /// Whether rules refuse and discard mail of the hosts; otherwise they flag it as junk.
    public var refuses: Bool

    /// Hosts.
    ///
    /// - Parameters:
    ///   - networks: their addresses.
    ///   - names: their names in Received fields.
    ///   - results: the authserv-id whose results are used; nil for none.
    ///   - refuses: whether rules refuse and discard their mail.
    public init(networks: NetworkSet, names: Set<DomainName>, results: Octets? = nil, refuses: Bool = false) {
        self.networks = networks
        self.names = names
        self.results = results
        self.refuses = refuses
    }
}
