internal import MailSyntax

extension Configuration {
    /// What is wrong with the relays: the setting, what is wrong, and what is right.
    var relayWarnings: [(key: String, message: String, accepted: String)] {
        let relays = trust.relays
        var found = [(key: String, message: String, accepted: String)]()
        func warn(_ setting: String, _ message: String, _ accepted: String) {
            found.append(("trust.relays" + setting, message, accepted))
        }
        if relays.networks.isEmpty, relays != Configuration.Trust.Relays() {
            warn(".networks", "is empty, so no mail is that of a relay", "the addresses of the relays")
        }
        for network in relays.networks {
            if network.isLarge {
                let message = "the fields of clients in \(network), a large part of the internet, are believed"
                warn(".networks", message, "hosts of your own")
            }
            if trust.skip.contains(where: { $0.overlaps(network) }) {
                warn(".networks", "\(network) is also in trust.skip, which comes first", "one of the two")
            } else if trust.networks.contains(where: { $0.overlaps(network) }) {
                warn(".networks", "\(network) is also in trust.networks, which then has no effect", "one of the two")
            }
        }
        if !relays.networks.isEmpty, relays.by.isEmpty, relays.results == nil {
            let message = "is empty, so no true client is ever found, and no rule that asks about it matches"
            warn(".by", message, "the names behind \"by\" in the Received fields that the relays write")
        }
        if !relays.by.isEmpty, relays.results != nil {
            warn(".by", "has no effect beside results", "one of the two")
        } else if !relays.by.isEmpty, relays.by.allSatisfy({ $0.description == "localhost" }) {
            let message = "names no relay: only a filter on a relay writes a field by localhost"
            warn(".by", message, "the relay's own name beside it")
        }
        if let results = relays.results, let own = authservID, results.lowercased() == own.lowercased() {
            let message =
                "is our own authserv_id: older results of ours would count, and those of the relay are deleted"
            warn(".results", message, "an authserv-id of the relay's own")
        }
        if !relays.networks.isEmpty, listen.allSatisfy({ $0.role == .outbound }) {
            warn("", "has no effect: all mail of a socket for outbound mail is our own", "a socket with another role")
        }
        return found
    }
}

extension IPNetwork {
    /// Whether the blocks have an address in common.
    func overlaps(_ other: IPNetwork) -> Bool { contains(other) || other.contains(self) }

    /// Whether the block is a large part of the internet.
    var isLarge: Bool { prefixLength < (address.bitWidth == 32 ? 8 : 16) }
}
