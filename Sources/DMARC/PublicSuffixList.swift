internal import CPSL
public import MailSyntax
internal import Synchronization

/// The public suffix list: the names under which anybody can register a name.
///
/// RFC 7489 § 3.2 used it to find Organizational Domains. RFC 9989 § 4.10 uses the DNS instead, and the list is
/// optional: it helps with mail of owners who publish records for subdomains only.
///
/// libpsl only reads its object after loading, so the object may be shared; a lock protects the rest.
@safe public final class PublicSuffixList: @unchecked Sendable {
    /// The path of the list in Debian's package `publicsuffix`.
    public static let systemPath = "/usr/share/publicsuffix/public_suffix_list.dafsa"

    /// How many names are cached with their result, because mail of the same authors comes again.
    private static let maximumKnown = 1024

    private let context: OpaquePointer
    private let known = Mutex<[DomainName: DomainName?]>([:])

    /// Loads a list, in the text form of publicsuffix.org or compiled to a DAFSA; nil when it cannot be read.
    public init?(path: String) {
        // psl_load_file returns an object that psl_free releases, or null.
        guard let context = unsafe psl_load_file(path) else { return nil }
        unsafe self.context = context
    }

    deinit {
        unsafe psl_free(context)
    }

    /// The registrable domain that a name is or lies below; nil when the name itself is a public suffix.
    public func registrableDomain(of name: DomainName) -> DomainName? {
        if let domain = known.withLock({ $0[name] }) { return domain }
        let domain = lookUp(name)
        known.withLock { known in
            // Mail chooses the names: clearing the cache bounds its memory.
            if known.count >= Self.maximumKnown { known.removeAll(keepingCapacity: true) }
            known[name] = .some(domain)
        }
        return domain
    }

    /// Whether two names have the same registrable domain.
    func isOneOrganization(_ one: DomainName, _ other: DomainName) -> Bool {
        guard let domain = registrableDomain(of: one) else { return false }
        return registrableDomain(of: other) == domain
    }

    private func lookUp(_ name: DomainName) -> DomainName? {
        let text = name.description
        // The result is null or points into the argument; only its number of labels is needed.
        let labelCount: Int? = unsafe text.withCString { text in
            guard let domain = unsafe psl_registrable_domain(context, text) else { return nil }
            return unsafe String(cString: domain).utf8.count { $0 == UInt8(ascii: ".") } + 1
        }
        return labelCount.map { name.suffix($0) }
    }
}
