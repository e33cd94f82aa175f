/// The domains that a reader with a grammar of his own could find in a text: what stands behind each `@`.
enum NamedDomains {
    /// How many `@` are looked at; a name with U-labels takes some time to read.
    private static let mostAts = 32

    /// The first of them, each once.
    static func found(in text: Octets, atMost limit: Int) -> [DomainName] {
        var domains = [DomainName]()
        forEach(in: text) { domain in
            if domains.count < limit, !domains.contains(domain) { domains.append(domain) }
        }
        return domains
    }

    /// Whether another domain than this one could be found.
    ///
    /// One of a single label is none: two-octet characters of names have an `@` in them (ISO-2022-JP, Shift JIS).
    static func hasOther(than domain: DomainName?, in text: Octets) -> Bool {
        guard text.count(where: { $0 == UInt8(ascii: "@") }) <= mostAts else { return true }
        var hasOther = false
        forEach(in: text) { if $0.labelCount > 1, $0 != domain { hasOther = true } }
        return hasOther
    }

    /// Calls `take` with each domain, as often as it could be found.
    private static func forEach(in text: Octets, _ take: (DomainName) -> Void) {
        var rest = text
        for _ in 0..<mostAts {
            guard let at = rest.firstIndex(of: UInt8(ascii: "@")) else { return }
            rest = rest[(at + 1)...]
            // Comments and white space do not count, here and around dots (RFC 5322 § 4.4, obs-domain).
            var parser = AddressParser(rest)
            try? parser.scanner.skipCFWS()
            let run = rest[parser.scanner.position...].prefix { $0.isNameCharacter }
            if let name = name(run) { take(name) }
            guard let obsolete = try? parser.domain(), obsolete != run else { continue }
            if let name = name(obsolete.prefix { $0.isNameCharacter }) { take(name) }
        }
    }

    /// What no host is called may begin with what one is: invisible characters are the usual disguise.
    private static func name(_ text: Octets) -> DomainName? {
        (try? DomainName(mailHost: text)) ?? (try? DomainName(mailHost: text.prefix { $0 < 0x80 }))
    }
}

extension UInt8 {
    /// A character that a domain in an address can be written with.
    fileprivate var isNameCharacter: Bool {
        isAlpha || isDigit || self >= 0x80 || self == UInt8(ascii: ".") || self == UInt8(ascii: "-")
            || self == UInt8(ascii: "_")
    }
}
