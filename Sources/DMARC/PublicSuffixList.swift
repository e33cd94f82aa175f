internal import CPSL
public import MailSyntax
internal import Synchronization

/// The public suffix list: under which names anybody can register one.
///
/// RFC 7489 § 3.2 found Organizational Domains with it. RFC 9989 § 4.10 asks the DNS instead, and the list is asked by
/// choice only: for mail of those who publish records for subdomains alone.
///
/// libpsl's object is only read after it was loaded, so it may be shared; the rest is behind a lock.
@safe public final class PublicSuffixList: @unchecked Sendable {
    /// Where Debian's package `publicsuffix` keeps the list.
    public static let systemPath = "/usr/share/publicsuffix/public_suffix_list.dafsa"

    /// For how many names the list's word is kept: mail of the same authors comes again.
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

    /// The registrable domain that a name is or lies below; nil when the name is a public suffix itself.
    public func registrableDomain(of name: DomainName) -> DomainName? {
        if let domain = known.withLock({ $0[name] }) { return domain }
        let domain = lookUp(name)
        known.withLock { known in
            // Mail chooses the names: to begin anew bounds what they take.
            if known.count >= Self.maximumKnown { known.removeAll(keepingCapacity: true) }
            known[name] = .some(domain)
        }
        return domain
    }

    /// Whether two names have one registrable domain.
    func isOneOrganization(_ one: DomainName, _ other: DomainName) -> Bool {
        guard let domain = registrableDomain(of: one) else { return false }
        return registrableDomain(of: other) == domain
    }

    private func lookUp(_ name: DomainName) -> DomainName? {
        let text = name.description
        // The result points into the text that was passed, or is null; only its number of labels is needed.
        let labelCount: Int? = unsafe text.withCString { text in
            guard let domain = unsafe psl_registrable_domain(context, text) else { return nil }
            return unsafe String(cString: domain).utf8.count { $0 == UInt8(ascii: ".") } + 1
        }
        return labelCount.map { name.suffix($0) }
    }
}
