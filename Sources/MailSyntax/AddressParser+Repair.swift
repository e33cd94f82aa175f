extension AddressParser {
    /// How many other `@` may stand beside the address; each one costs reading a name.
    private static let maximumOtherAts = 8

    /// Reads a field that is not a list but can mean only one mailbox, such as `Doe, John <jdoe@example.org>`.
    ///
    /// RFC 5322 does not cover such fields. People and their programs read the address in angle brackets, if nothing
    /// else in the field looks like an address to any of them. So this method accepts:
    ///
    /// - text that does not end in a comma, then the only angle brackets, with nothing but CFWS behind them;
    /// - in the brackets an addr-spec, without a route;
    /// - no other address in the text. An `@` outside quoted strings is allowed only in an address of the same domain
    ///   that is no list member by itself; comments and encoded words must hold no address of another domain.
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
                // Some readers recognize quoted pairs outside of quoted strings, others do not.
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

/// The text in front of the only angle brackets of a field.
private struct RepairedName {
    let start: Int
    /// The start of the text after the last comma.
    var memberStart: Int
    /// Whether the last part read was something other than a comma, white space or a comment.
    var endsInText = false
    /// The text behind each `@`.
    var domains: [Octets] = []
    /// The text that only some readers see: comments.
    var hidden: [UInt8] = []

    init(start: Int) {
        self.start = start
        memberStart = start
    }

    /// Takes text that a reader of lists would see as a member of its own.
    mutating func endMember(_ member: Octets) throws(StructuredFieldError) {
        endsInText = false
        guard member.contains(UInt8(ascii: "@")) else { return }
        var parser = AddressParser(member)
        guard (try? parser.addressList()) == nil else { throw .ambiguous }
    }

    /// Throws if a reader could see an address of a domain other than the author's.
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
    /// Whether this character has a meaning in address syntax, unless a backslash quotes it.
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
