internal import MailSyntax

/// An address as the store keeps it: `domain@local` in lower case, empty for the null sender.
enum AddressKey {
    /// The greatest length of a key, in octets.
    private static let limit = 512

    /// The key of an address; one without a domain has an empty domain.
    static func key(_ address: String) -> String {
        let octets = address.utf8.map(\.lowercased)
        guard !octets.isEmpty else { return "" }
        let at = octets.lastIndex(of: UInt8(ascii: "@"))
        let domain = at.map { octets[($0 + 1)...] } ?? []
        // What is cut off is of the local part.
        return text((domain + [UInt8(ascii: "@")] + octets[..<(at ?? octets.endIndex)]).prefix(limit))
    }

    /// The address of a key, in lower case; `<>` for the null sender.
    static func address(_ key: String) -> String {
        guard let at = key.firstIndex(of: "@") else { return "<>" }
        let local = key[key.index(after: at)...]
        return at == key.startIndex ? String(local) : "\(local)@\(key[..<at])"
    }

    /// The keys from `first` up to, and without, `end` are those of the addresses at a domain.
    static func range(ofDomain domain: String) -> (first: String, end: String) {
        let name = text(Array(domain.utf8.prefix(limit)).map(\.lowercased)[...])
        // "A" follows "@".
        return (name + "@", name + "A")
    }

    private static func text(_ octets: Octets) -> String { ExactText.storable(octets.text) }
}
