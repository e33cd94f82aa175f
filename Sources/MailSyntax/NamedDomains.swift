/// The domains that readers with different grammars could find in a text: each begins behind an `@`.
struct NamedDomains {
    /// How many `@` are examined.
    private static let maximumAts = 32

    private let text: Octets
    /// How many octets of names with U-labels may still be read.
    private(set) var internationalOctets: Int
    /// Whether every possible name was read.
    private var isComplete = true

    /// - Parameter internationalOctets: how many octets of names with U-labels are read; reading them takes time.
    init(in text: Octets, internationalOctets: Int) {
        self.text = text
        self.internationalOctets = max(0, internationalOctets)
    }

    /// The first domains found, each once.
    mutating func found(atMost limit: Int) -> [DomainName] {
        var domains = [DomainName]()
        forEach { domain in
            if domains.count < limit, !domains.contains(domain) { domains.append(domain) }
        }
        return domains
    }

    /// Whether the text could contain a domain other than this one, or has too much to read.
    ///
    /// A domain of a single label does not count: two-octet characters may contain an `@` (ISO-2022-JP, Shift JIS).
    mutating func hasOther(than domain: DomainName?) -> Bool {
        guard text.count(where: { $0 == UInt8(ascii: "@") }) <= Self.maximumAts else { return true }
        var hasOther = false
        forEach { if $0.labelCount > 1, $0 != domain { hasOther = true } }
        return hasOther || !isComplete
    }

    /// Calls `take` with each domain, once for each time it could be found.
    private mutating func forEach(_ take: (DomainName) -> Void) {
        var rest = text
        for _ in 0..<Self.maximumAts {
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

    /// Text that is not a host name may begin with a host name: invisible characters are the usual disguise.
    private mutating func name(_ text: Octets) -> DomainName? {
        if text.isASCII { return try? DomainName(mailHost: text) }
        if text.count <= internationalOctets {
            internationalOctets -= text.count
            if let name = try? DomainName(mailHost: text) { return name }
        } else {
            isComplete = false
        }
        return try? DomainName(mailHost: text.prefix { $0 < 0x80 })
    }
}

extension UInt8 {
    /// A character that may be part of a domain in an address.
    fileprivate var isNameCharacter: Bool {
        isAlpha || isDigit || self >= 0x80 || self == UInt8(ascii: ".") || self == UInt8(ascii: "-")
            || self == UInt8(ascii: "_")
    }
}
