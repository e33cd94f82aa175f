internal import MailSyntax
internal import Policy

/// Clients of mail that rules act against and that nothing proves, but that may be honest all the same.
struct UnprovenTally: Sendable {
    /// A client whose verified name is at the author's domain.
    struct Host: Hashable, Sendable {
        let client: DomainName
        let author: DomainName
    }

    private(set) var hosts = TopTable<Host>()
    private(set) var lists = ForwarderTable()

    /// Counts a message.
    mutating func add(_ facts: PolicyFacts) {
        // Who forges an author seldom has a name at the author's domain, or a signature of it.
        guard let client = facts.clientNames?.first, let author = facts.domainInTables else { return }
        if client == author || client.isSubdomain(of: author) {
            hosts.add(Host(client: client, author: author))
        } else if facts.dkimAligned == .fail {
            lists.add(client, author: author)
        }
    }
}
