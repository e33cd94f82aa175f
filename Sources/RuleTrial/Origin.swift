internal import MailSyntax
internal import Policy

/// Where a message comes from, as tables name it.
enum Origin: Hashable, Sendable, CustomStringConvertible {
    /// The client's first verified name.
    case name(DomainName)
    /// The network of a client without a name: a /24 or a /64.
    case network(IPNetwork)
    /// A local client, or one whose address the mail server did not tell.
    case local

    init(_ facts: PolicyFacts) {
        if let name = facts.clientNames?.first {
            self = .name(name)
        } else if let client = facts.client?.unmapped,
            let network = IPNetwork(client, prefixLength: client.bitWidth == 32 ? 24 : 64)
        {
            self = .network(network.canonical)
        } else {
            self = .local
        }
    }

    var description: String {
        switch self {
        case .name(let name): name.description
        case .network(let network): network.description
        case .local: "(no address)"
        }
    }
}

extension PolicyFacts {
    /// The author's domain, or that of MAIL FROM where no header came.
    var domainInTables: DomainName? { fromDomains.map(\.first) ?? mailFrom?.domain }

    /// Whether the message is proven to be its author's: DMARC passes, or the author's domain has signed it.
    var isHonest: Bool { results.dmarc == .pass || dkimAligned == .pass }

    /// The client's name, if the client looks as a forwarder does: SPF does not pass, and the author's signature does.
    var forwarder: DomainName? {
        guard results.spf == .fail || results.spf == .softfail, dkimAligned == .pass else { return nil }
        return clientNames?.first
    }
}
