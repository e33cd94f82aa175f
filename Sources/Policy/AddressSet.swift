internal import MailSyntax

/// A set of mail addresses: whole addresses, local parts at any domain (`postmaster@`), and whole domains
/// (`@example.org`).
///
/// RFC 5321 § 2.4 leaves the case of local parts to the receiving host. Case is ignored here, because mailboxes that
/// differ only by case are unknown in practice.
public struct AddressSet: Sendable {
    private struct Address: Hashable {
        let localPart: String
        let domain: DomainName
    }

    /// Why a text is not an entry.
    public enum SyntaxError: Error, Sendable {
        /// There is no `@`.
        case noAt
        /// The text after the `@` is not a domain name.
        case notADomain
    }

    private var addresses: Set<Address> = []
    private var localParts: Set<String> = []
    private var domains = DomainSet()

    /// An empty set.
    public init() {}

    /// Whether the set is empty.
    public var isEmpty: Bool { addresses.isEmpty && localParts.isEmpty && domains.isEmpty }

    /// Whether an entry has a local part.
    var hasLocalParts: Bool { !addresses.isEmpty || !localParts.isEmpty }

    /// Adds an entry: `user@example.org`, `postmaster@` or `@example.org` (`@.example.org` for all domains below).
    public mutating func insert(_ text: String) throws(SyntaxError) {
        guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else { throw .noAt }
        let localPart = text[..<at].lowercased()
        let domain = String(text[text.utf8.index(after: at)...])
        do {
            if domain.isEmpty, !localPart.isEmpty {
                localParts.insert(localPart)
            } else if localPart.isEmpty {
                try domains.insert(domain)
            } else {
                addresses.insert(Address(localPart: localPart, domain: try DomainName(unicode: Octets(domain))))
            }
        } catch {
            throw .notADomain
        }
    }

    /// Adds the entries of another set.
    public mutating func formUnion(_ other: AddressSet) {
        addresses.formUnion(other.addresses)
        localParts.formUnion(other.localParts)
        domains.formUnion(other.domains)
    }

    /// Whether an address is in the set.
    public func contains(_ address: MailAddress) -> Bool { contains(address, address.domain) }

    /// Whether an address is in the set; `domain` is its domain, which has already been read.
    func contains(_ address: MailAddress, _ domain: DomainName?) -> Bool {
        if let domain {
            if domains.contains(domain) { return true }
            if !addresses.isEmpty,
                addresses.contains(Address(localPart: address.localPart.lowercased(), domain: domain))
            {
                return true
            }
        }
        return !localParts.isEmpty && localParts.contains(address.localPart.lowercased())
    }
}
