extension FieldText {
    /// An address or a domain name in US-ASCII, with A-labels instead of U-labels; nil when it has no such form.
    ///
    /// A US-ASCII message must stay US-ASCII: a single octet above 127 in a field requires SMTPUTF8 of the next server,
    /// and a server without SMTPUTF8 gets no mail (RFC 6531 § 3.6). A local part has no US-ASCII form, so such an
    /// address is left out.
    public static func ascii(_ text: Octets) -> Octets? {
        if text.isASCII { return text }
        let domainStart = text.lastIndex(of: UInt8(ascii: "@")).map { $0 + 1 } ?? text.startIndex
        guard text[..<domainStart].isASCII, let domain = try? DomainName(mailHost: text[domainStart...]) else {
            return nil
        }
        return text[..<domainStart] + domain.description.utf8
    }
}
