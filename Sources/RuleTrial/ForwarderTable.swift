internal import MailSyntax

/// Clients that look like forwarders: SPF fails for several authors whose signatures pass.
struct ForwarderTable: Sendable {
    /// The most authors of a client that are told apart.
    static let mostAuthors = 16

    private var clients = TopTable<DomainName>()
    private var authors = [[DomainName]]()

    /// Counts a message of a client that looks like a forwarder.
    mutating func add(_ client: DomainName, author: DomainName?) {
        let (place, isNew) = clients.add(client)
        if place == authors.count { authors.append([]) }
        if isNew { authors[place] = [] }
        guard let author, authors[place].count < Self.mostAuthors, !authors[place].contains(author) else { return }
        authors[place].append(author)
    }

    /// The clients that sent for several authors, the most frequent first.
    var sorted: [(entry: TopTable<DomainName>.Entry, authors: Int)] {
        clients.sorted.map { (entry: $0.entry, authors: authors[$0.place].count) }.filter { $0.authors > 1 }
    }
}
