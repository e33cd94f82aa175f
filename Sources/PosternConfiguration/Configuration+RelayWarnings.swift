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
            if network.prefixLength < 8 {
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
            let message = "is empty, so no true client is ever found, and all mail of the relays is accepted"
            warn(".by", message, "the names behind \"by\" in the Received fields that the relays write")
        }
        if !relays.by.isEmpty, relays.results != nil {
            warn(".by", "has no effect beside results", "one of the two")
        }
        return found
    }
}

extension IPNetwork {
    /// Whether the blocks have an address in common.
    fileprivate func overlaps(_ other: IPNetwork) -> Bool { contains(other) || other.contains(self) }
}
