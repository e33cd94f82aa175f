internal import MailSyntax

/// The ways in which people write selectors.
package enum DKIMSelector {
    /// RFC 6376 § 3.6.2.1: the text between the selector and the domain in the name of the record.
    package static let suffix = "._domainkey"

    /// The selector in a text that continues like the record's name; nil for any other text.
    package static func withoutSuffix(_ text: String) -> String? {
        let plain = text.lowercased()
        guard let place = plain.firstRange(of: suffix), place.lowerBound > plain.startIndex else { return nil }
        return String(plain[..<place.lowerBound])
    }
}

extension ValueType where Value == DomainName {
    /// A selector (RFC 6376 § 3.1).
    static let selector = ValueType.string(
        "selector",
        accepted: "a selector, as \"2026r\"",
        write: { $0 == .root ? nil : $0.description },
        meant: { text in DKIMSelector.withoutSuffix(text).flatMap { try? DomainName(mailHost: Octets($0)) } },
        parse: { text in
            DKIMSelector.withoutSuffix(text) == nil ? try? DomainName(mailHost: Octets(text)) : nil
        }
    )
}
