internal import MailSyntax

/// The client that the topmost Received field names: who handed the message to the host that stored it.
struct ReceivedClient {
    /// Its address.
    let address: IPAddress
    /// What it called itself; empty where that is not said.
    let helo: [UInt8]

    /// The client, where the field has an address in its `from` part (RFC 5321 § 4.4).
    init?(_ headers: HeaderBlock) {
        guard let field = headers.fields(named: "Received").first else { return nil }
        let separators: Set<UInt8> = [0x20, 0x09, 0x0D, 0x0A, UInt8(ascii: "("), UInt8(ascii: ")")]
        let words = field.value.split { separators.contains($0) }.map(\.text)
        let part = words.prefix { $0.lowercased() != "by" }
        guard part.first?.lowercased() == "from" else { return nil }
        // The client chooses the first word; what the server found stands behind it.
        guard
            let address = part.dropFirst(2).compactMap(Self.address).last
                ?? part.dropFirst().first.flatMap(Self.address)
        else { return nil }
        self.address = address
        // Exim writes "([192.0.2.1] helo=name)", qmail "unknown (HELO name) (192.0.2.1)".
        let named =
            part.first { $0.lowercased().hasPrefix("helo=") }.map { String($0.dropFirst(5)) }
            ?? part.firstIndex(of: "HELO").flatMap { part.dropFirst($0 + 1).first }
        helo = Array((named ?? part.dropFirst().first ?? "").utf8)
    }

    private static func address(_ word: String) -> IPAddress? {
        var text = Substring(word)
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            text = text[text.index(after: text.startIndex)..<end]
        }
        if text.lowercased().hasPrefix("ipv6:") { text = text.dropFirst(5) }
        return IPAddress(String(text))
    }
}
