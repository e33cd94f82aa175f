/// The domains that a reader with a grammar of his own could find in a text: what stands behind each `@`.
struct NamedDomains {
    /// How many `@` are looked at.
    private static let maximumAts = 32

    private let text: Octets
    /// How many octets of names with U-labels may still be read.
    private(set) var internationalOctets: Int
    /// Whether all that could be a name was read.
    private var isComplete = true

    /// - Parameter internationalOctets: how many octets of names with U-labels are read, because they take time.
    init(in text: Octets, internationalOctets: Int) {
        self.text = text
        self.internationalOctets = max(0, internationalOctets)
    }

    /// The first of them, each once.
    mutating func found(atMost limit: Int) -> [DomainName] {
        var domains = [DomainName]()
        forEach { domain in
            if domains.count < limit, !domains.contains(domain) { domains.append(domain) }
        }
        return domains
    }

    /// Whether another domain than this one could be found, or there is too much to read.
    ///
    /// One of a single label is none: two-octet characters of names have an `@` in them (ISO-2022-JP, Shift JIS).
    mutating func hasOther(than domain: DomainName?) -> Bool {
        guard text.count(where: { $0 == UInt8(ascii: "@") }) <= Self.maximumAts else { return true }
        var hasOther = false
        forEach { if $0.labelCount > 1, $0 != domain { hasOther = true } }
        return hasOther || !isComplete
    }

    /// Calls `take` with each domain, as often as it could be found.
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

    /// What no host is called may begin with what one is: invisible characters are the usual disguise.
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
    /// A character that a domain in an address can be written with.
    fileprivate var isNameCharacter: Bool {
        isAlpha || isDigit || self >= 0x80 || self == UInt8(ascii: ".") || self == UInt8(ascii: "-")
            || self == UInt8(ascii: "_")
    }
}
