extension AddressParser {
    /// How many `@` may stand beside the address; each takes a name to be read.
    private static let maximumOtherAts = 8

    /// Reads a field that is no list but can mean one mailbox only, as `Doe, John <jdoe@example.org>` does.
    ///
    /// RFC 5322 has nothing to say of such fields. People read the address in angle brackets, and so do their programs, if
    /// nothing else in the field looks like an address to any of them. So this takes:
    ///
    /// - text, not nothing and not a comma, and then the only angle brackets, with nothing but CFWS behind them;
    /// - in the brackets an addr-spec, without a route;
    /// - in the text no other address: no `@` outside quoted strings but that of an address of the same domain, which is
    ///   no member of its own between commas; and none of another domain in comments and encoded words.
    mutating func onlyMailbox() throws(StructuredFieldError) -> Mailbox {
        var name = RepairedName(start: scanner.position)
        try readName(&name)
        let text = scanner.text(since: name.start).trimmed
        guard name.endsInText else { throw .unexpected }
        scanner.advance()
        let tokens = try words()
        // A route would stand here (RFC 5322 § 4.4).
        guard !tokens.isEmpty, scanner.next == UInt8(ascii: "@") else { throw .unexpected }
        let mailbox = try addrSpec(tokens, displayName: text)
        try scanner.skipCFWS()
        guard scanner.take(UInt8(ascii: ">")) else { throw .unexpected }
        let end = scanner.position
        try scanner.skipCFWS()
        guard scanner.next == nil else { throw .unexpected }
        name.hidden += scanner.text(since: end)
        try name.check(mailbox.domainName, text)
        return mailbox
    }

    /// Everything in front of the angle brackets.
    private mutating func readName(_ name: inout RepairedName) throws(StructuredFieldError) {
        while let octet = scanner.next {
            switch octet {
            case UInt8(ascii: "<"): return
            case UInt8(ascii: ">"), 0x00: throw .unexpected
            case .space, .tab, .cr, .lf: try scanner.skipFWS()
            case UInt8(ascii: "("): name.hidden += try scanner.comment() + [.space]
            case UInt8(ascii: ","):
                try name.endMember(scanner.text(since: name.memberStart))
                scanner.advance()
                name.memberStart = scanner.position
            case UInt8(ascii: "@"):
                guard name.endsInText, name.domains.count < Self.maximumOtherAts else { throw .ambiguous }
                scanner.advance()
                try scanner.skipCFWS()
                name.domains.append(try domain())
            case UInt8(ascii: "\""):
                _ = try scanner.quotedString()
                name.endsInText = true
            case UInt8(ascii: "\\"):
                scanner.advance()
                // Some readers know quoted pairs outside of quoted strings, others do not.
                guard scanner.next.map(\.isSpecial) == false else { throw .unexpected }
                name.endsInText = true
            default:
                scanner.advance()
                name.endsInText = true
            }
        }
        throw .noDomain
    }
}

/// What stands in front of the only angle brackets of a field.
private struct RepairedName {
    let start: Int
    /// Where the text after the last comma begins.
    var memberStart: Int
    /// Whether something other than a comma, white space and comments came last.
    var endsInText = false
    /// What stands behind each `@`.
    var domains: [Octets] = []
    /// What only some readers see: comments.
    var hidden: [UInt8] = []

    init(start: Int) {
        self.start = start
        memberStart = start
    }

    /// Takes what a reader of lists would see as a member on its own.
    mutating func endMember(_ member: Octets) throws(StructuredFieldError) {
        endsInText = false
        guard member.contains(UInt8(ascii: "@")) else { return }
        var parser = AddressParser(member)
        guard (try? parser.addressList()) == nil else { throw .ambiguous }
    }

    /// Throws if an address of another domain than the author's could be seen.
    func check(_ domain: DomainName?, _ text: Octets) throws(StructuredFieldError) {
        let spellings = Set(domains)
        let international = spellings.reduce(0) { $0 + ($1.isASCII ? 0 : $1.count) }
        guard international <= AuthorIdentity.maximumInternationalOctets,
            spellings.allSatisfy({ domain != nil && (try? DomainName(mailHost: $0)) == domain }),
            let encoded = EncodedWords.decoded(in: text + hidden)
        else { throw .ambiguous }
        var search = NamedDomains(
            in: hidden[...] + encoded,
            internationalOctets: AuthorIdentity.maximumInternationalOctets
        )
        guard !search.hasOther(than: domain) else { throw .ambiguous }
    }
}

extension UInt8 {
    /// A character that means something to the readers of addresses, if no backslash takes the meaning away.
    fileprivate var isSpecial: Bool {
        switch self {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: ";"), UInt8(ascii: "@"), UInt8(ascii: ","),
            UInt8(ascii: "\""):
            true
        default: false
        }
    }
}
