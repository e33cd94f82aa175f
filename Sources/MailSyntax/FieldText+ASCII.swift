extension FieldText {
    /// An address or a domain name in US-ASCII, with A-labels in the place of U-labels; nil where it has no such form.
    ///
    /// A message that is US-ASCII itself must stay so: one octet beyond it in a field asks the next server for SMTPUTF8, and
    /// one that has it not gets no mail (RFC 6531 § 3.6). A local part has no other form, so such an address is left out.
    public static func ascii(_ text: Octets) -> Octets? {
        if text.isASCII { return text }
        let domainStart = text.lastIndex(of: UInt8(ascii: "@")).map { $0 + 1 } ?? text.startIndex
        guard text[..<domainStart].isASCII, let domain = try? DomainName(mailHost: text[domainStart...]) else {
            return nil
        }
        return text[..<domainStart] + domain.description.utf8
    }
}
