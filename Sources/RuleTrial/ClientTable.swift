internal import MailSyntax
internal import Policy

/// Where messages come from, the most frequent first.
struct ClientTable: Sendable {
    private var origins = TopTable<Origin>()
    /// The client of each, as long as there was only one.
    private var clients = [IPAddress?]()

    /// Counts a message.
    mutating func add(_ facts: PolicyFacts) {
        let (place, isNew) = origins.add(Origin(facts))
        let client = facts.client?.unmapped
        if place == clients.count {
            clients.append(client)
        } else if isNew {
            clients[place] = client
        } else if clients[place] != client {
            clients[place] = nil
        }
    }

    /// The origins with their names: the address of a client that is the only one of its network.
    var sorted: [(entry: TopTable<Origin>.Entry, name: String)] {
        origins.sorted.map { place, entry in
            // What is counted with others may have had more clients before.
            guard case .network = entry.key, entry.over == 0, let client = clients[place] else {
                return (entry, entry.key.description)
            }
            return (entry, client.description)
        }
    }
}
