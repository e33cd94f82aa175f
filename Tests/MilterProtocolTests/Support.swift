import MilterProtocol

/// The octets of text.
func octets(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

extension MilterWriter {
    /// The packets: command letter and data, as text.
    var packets: [String] {
        var rest = octets[...]
        var packets: [String] = []
        while rest.count >= 5 {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            packets.append(String(decoding: rest.dropFirst(4).prefix(length), as: UTF8.self))
            rest = rest.dropFirst(4 + length)
        }
        return packets
    }
}

extension MilterOffer {
    /// What Postfix and Sendmail offer.
    static let everything = MilterOffer(version: 6, actions: 0x1FF, protocolBits: 0x1F_FFFF)
}

/// The bits of a list of events in the OPTNEG reply, for the machine that a test wants.
func negotiated(_ request: MilterRequest, offer: MilterOffer = .everything) -> MilterSessionMachine {
    var machine = MilterSessionMachine(request: request)
    _ = machine.receive(.negotiate)
    machine.negotiate(offer)
    return machine
}
