public import MailSyntax

/// Chooses the keys for a message, by the domain of its author and the login of its sender.
public struct DKIMSigningTable: Sendable {
    /// A domain that mail is signed for.
    public struct Entry: Sendable {
        /// The domain of the author; the keys have the same domain.
        public var domain: DomainName
        /// Whether mail of authors below the domain is signed too.
        public var includesSubdomains: Bool
        /// The logins that own the domain; nil for every login, and for every client that is trusted without a login.
        public var logins: [Octets]?
        /// The keys; each makes a signature.
        public var keys: [DKIMSigningKey]
        /// How messages are signed.
        public var options: DKIMSigningOptions

        /// An entry from its parts.
        public init(
            domain: DomainName,
            includesSubdomains: Bool = false,
            logins: [Octets]? = nil,
            keys: [DKIMSigningKey],
            options: DKIMSigningOptions = DKIMSigningOptions()
        ) {
            self.domain = domain
            self.includesSubdomains = includesSubdomains
            self.logins = logins
            self.keys = keys
            self.options = options
        }
    }

    /// The decision about a message.
    public enum Decision: Sendable {
        /// The message is signed.
        case sign(Entry)
        /// No entry covers the author's domain.
        case foreignDomain
        /// The domain is covered, but the login does not own it.
        case foreignLogin(DomainName)
    }

    private var entries: [DomainName: Entry] = [:]

    /// A table of these entries; when two have the same domain, the first counts.
    public init(_ entries: [Entry]) {
        for entry in entries where self.entries[entry.domain] == nil { self.entries[entry.domain] = entry }
    }

    /// Decides about a message of a client whose mail may be signed.
    ///
    /// - Parameters:
    ///   - author: the domain of the only address in the only From field.
    ///   - login: the name under which the client authenticated; nil for a client that is trusted by its address.
    public func decision(author: DomainName, login: Octets?) -> Decision {
        guard let entry = entry(for: author) else { return .foreignDomain }
        guard let owners = entry.logins else { return .sign(entry) }
        guard let login, owners.contains(login) else { return .foreignLogin(entry.domain) }
        return .sign(entry)
    }

    /// The entry of the domain itself, or the closest entry above it that covers subdomains.
    private func entry(for author: DomainName) -> Entry? {
        if let entry = entries[author] { return entry }
        var domain = author.parent
        while let current = domain {
            if let entry = entries[current], entry.includesSubdomains { return entry }
            domain = current.parent
        }
        return nil
    }
}
