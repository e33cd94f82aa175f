/// Reads addresses, rule by rule of RFC 5322 §§ 3.4 and 4.4.
///
/// The parser only moves forward: the work is linear in the length of the text, and nothing recurses.
struct AddressParser {
    /// A word or dot of a phrase or a local part.
    ///
    /// The two look alike until the parser sees the character behind them.
    struct Token {
        /// The word; empty for a dot.
        var text: Octets
        var isDot: Bool
        var hasSpaceBefore: Bool
    }

    var scanner: FieldScanner
    private var mailboxCount = 0
    /// Whether an address without angle brackets was read.
    private var hasBare = false
    /// Whether an address in angle brackets was read.
    private var hasBracketed = false

    /// Whether addresses of both kinds were read.
    var isMixed: Bool { hasBare && hasBracketed }

    init(_ text: Octets) {
        scanner = FieldScanner(text)
    }

    /// address-list, obs-addr-list: members between commas, some of which may be missing.
    mutating func addressList() throws(StructuredFieldError) -> [AddressList.Element] {
        var elements = [AddressList.Element]()
        while true {
            try skipCommas()
            guard scanner.next != nil else { break }
            elements.append(try address())
            try scanner.skipCFWS()
            guard scanner.next == nil || scanner.next == UInt8(ascii: ",") else { throw .unexpected }
        }
        guard !elements.isEmpty else { throw .empty }
        return elements
    }

    /// address: a mailbox or a group.
    private mutating func address() throws(StructuredFieldError) -> AddressList.Element {
        let tokens = try words()
        guard scanner.take(UInt8(ascii: ":")) else { return .mailbox(try mailbox(after: tokens)) }
        let name = try phrase(tokens)
        var members = [Mailbox]()
        while true {
            try skipCommas()
            if scanner.take(UInt8(ascii: ";")) { break }
            guard scanner.next != nil else { throw .unterminated }
            members.append(try mailbox(after: try words()))
            try scanner.skipCFWS()
            guard scanner.next == UInt8(ascii: ",") || scanner.next == UInt8(ascii: ";") else {
                throw scanner.next == nil ? .unterminated : .unexpected
            }
        }
        return .group(name: name, members)
    }

    /// mailbox: name-addr or addr-spec, whose leading words have been read.
    private mutating func mailbox(after tokens: [Token]) throws(StructuredFieldError) -> Mailbox {
        mailboxCount += 1
        guard mailboxCount <= AddressList.maximumMailboxes else { throw .tooMany }
        guard scanner.take(UInt8(ascii: "<")) else {
            hasBare = true
            return try addrSpec(tokens, displayName: nil)
        }
        hasBracketed = true
        let displayName = tokens.isEmpty ? nil : try phrase(tokens)
        try skipRoute()
        let mailbox = try addrSpec(try words(), displayName: displayName)
        try scanner.skipCFWS()
        guard scanner.take(UInt8(ascii: ">")) else { throw scanner.next == nil ? .unterminated : .unexpected }
        return mailbox
    }

    /// addr-spec, whose local part has been read.
    mutating func addrSpec(
        _ tokens: [Token],
        displayName: Octets?
    ) throws(StructuredFieldError) -> Mailbox {
        let localPart = try localPart(tokens)
        guard scanner.take(UInt8(ascii: "@")) else {
            throw scanner.next == nil || scanner.next == UInt8(ascii: ">") ? .noDomain : .unexpected
        }
        try scanner.skipCFWS()
        let isLiteral = scanner.next == UInt8(ascii: "[")
        let domain = isLiteral ? try scanner.domainLiteral() : try domain()
        return Mailbox(displayName: displayName, localPart: localPart, domain: domain, hasDomainLiteral: isLiteral)
    }

    /// obs-route: the path of a source route, which names no mailbox.
    private mutating func skipRoute() throws(StructuredFieldError) {
        try scanner.skipCFWS()
        guard scanner.next == UInt8(ascii: "@") || scanner.next == UInt8(ascii: ",") else { return }
        var isComplete = false
        while true {
            try skipCommas()
            if isComplete, scanner.take(UInt8(ascii: ":")) { return }
            guard scanner.take(UInt8(ascii: "@")) else { throw scanner.next == nil ? .unterminated : .unexpected }
            try scanner.skipCFWS()
            _ = scanner.next == UInt8(ascii: "[") ? try scanner.domainLiteral() : try domain()
            try scanner.skipCFWS()
            guard scanner.next == UInt8(ascii: ",") || scanner.next == UInt8(ascii: ":") else { throw .unexpected }
            isComplete = true
        }
    }

    private mutating func skipCommas() throws(StructuredFieldError) {
        repeat { try scanner.skipCFWS() } while scanner.take(UInt8(ascii: ","))
    }

    /// domain without the literal; obs-domain allows CFWS around its dots.
    mutating func domain() throws(StructuredFieldError) -> Octets {
        let first = scanner.atom()
        guard !first.isEmpty else { throw scanner.next == nil ? .noDomain : .unexpected }
        try scanner.skipCFWS()
        guard scanner.next == UInt8(ascii: ".") else { return first }
        var domain = Array(first)
        while scanner.take(UInt8(ascii: ".")) {
            try scanner.skipCFWS()
            let label = scanner.atom()
            guard !label.isEmpty else { throw .unexpected }
            domain.append(UInt8(ascii: "."))
            domain.append(contentsOf: label)
            try scanner.skipCFWS()
        }
        return domain[...]
    }

    /// Words and dots, up to the character that tells a phrase from a local part.
    mutating func words() throws(StructuredFieldError) -> [Token] {
        var tokens = [Token]()
        while true {
            let start = scanner.position
            try scanner.skipCFWS()
            let hasSpaceBefore = scanner.position > start
            switch scanner.next {
            case UInt8(ascii: ".")?:
                scanner.advance()
                tokens.append(Token(text: [], isDot: true, hasSpaceBefore: hasSpaceBefore))
            case UInt8(ascii: "\"")?:
                let text = try scanner.quotedString()
                tokens.append(Token(text: text, isDot: false, hasSpaceBefore: hasSpaceBefore))
            default:
                let text = scanner.atom()
                guard !text.isEmpty else { return tokens }
                tokens.append(Token(text: text, isDot: false, hasSpaceBefore: hasSpaceBefore))
            }
        }
    }

    /// phrase, obs-phrase: a word, then words and dots.
    private func phrase(_ tokens: [Token]) throws(StructuredFieldError) -> Octets {
        guard let first = tokens.first, !first.isDot else { throw .unexpected }
        guard tokens.count > 1 else { return first.text }
        var phrase = [UInt8]()
        for (index, token) in tokens.enumerated() {
            if token.hasSpaceBefore, index > 0 { phrase.append(.space) }
            if token.isDot { phrase.append(UInt8(ascii: ".")) } else { phrase.append(contentsOf: token.text) }
        }
        return phrase[...]
    }

    /// local-part, obs-local-part: words with dots between them.
    ///
    /// RFC 5322 § 3.2.3 requires one dot between two words and none at the ends. Some operators issue addresses such as
    /// `a..b` and `ab.`. Every reader understands them, and they leave no doubt about the domain.
    private func localPart(_ tokens: [Token]) throws(StructuredFieldError) -> Octets {
        guard let first = tokens.first else { throw .unexpected }
        guard tokens.count > 1 else { return first.isDot ? Octets(".") : first.text }
        var localPart = [UInt8]()
        var isAfterWord = false
        for token in tokens {
            guard token.isDot || !isAfterWord else {
                // Words that end the field are a name without an address.
                throw scanner.next == nil ? .noDomain : .unexpected
            }
            if token.isDot { localPart.append(UInt8(ascii: ".")) } else { localPart.append(contentsOf: token.text) }
            isAfterWord = !token.isDot
        }
        return localPart[...]
    }
}
