internal import MailSyntax

extension DomainName {
    private static let keyLabel = try? DomainName("_domainkey")

    /// The name where the key of a selector is published, `selector._domainkey.domain` (RFC 6376 § 3.6.2.1); nil when
    /// it would be too long.
    init?(ofKey selector: DomainName, at domain: DomainName) {
        guard let label = Self.keyLabel,
            let name = try? DomainName(joining: selector, label, domain)
        else { return nil }
        self = name
    }
}
