internal import MailSyntax
internal import Policy

/// What came of one rule.
struct RuleTally: Sendable {
    /// How often it decided, by action.
    var acted = ActionCounts()
    /// How often it matched on trial.
    var onTrial = 0
    /// How often only an exemption kept it from matching.
    var exempted = 0
    /// How often a missing answer of the DNS left it open.
    var undecided = 0
    /// How often it was open because a check was not made, by check.
    var lacked = PerCheck<Int> { _ in 0 }
    /// The mail that it acts against.
    var hits = HitTally()
    /// The mail among it that is proven to be its author's.
    var honest = HitTally()

    /// How often it matched.
    var matched: Int { acted.withheld + acted.accept + acted.mark + acted.junk + onTrial }
}

/// Mail that a rule acts against.
struct HitTally: Sendable {
    var count = 0
    var authors = TopTable<DomainName>()
    var clients = ClientTable()
    var forwarders = ForwarderTable()
    var samples = Samples()

    mutating func add(_ facts: PolicyFacts, _ id: () -> String?) {
        count += 1
        let author = facts.domainInTables
        if let author { authors.add(author) }
        clients.add(facts)
        if let forwarder = facts.forwarder { forwarders.add(forwarder, author: author) }
        samples.add(id)
    }
}

/// The first queue IDs of some messages.
struct Samples: Sendable {
    private static let most = 5

    private(set) var ids = [String]()

    mutating func add(_ id: () -> String?) {
        guard ids.count < Self.most, let id = id() else { return }
        // Nothing that a terminal obeys, and no more than a queue ID has.
        ids.append(FieldText.printable(Octets(id), limit: 40)[...].text)
    }
}
