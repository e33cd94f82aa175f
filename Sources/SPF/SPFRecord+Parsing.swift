internal import MailSyntax

/// Reads the terms of a record one by one (RFC 7208 § 12).
struct SPFRecordBuilder {
    typealias Reason = SPFRecord.SyntaxError.Reason

    private(set) var directives: [SPFDirective] = []
    private(set) var redirect: SPFModifier?
    private(set) var explanation: SPFModifier?
    private(set) var hasAll = false
    private(set) var isTruncated = false
    private var lookupCount = 0

    /// Reads `terms = *( 1*SP ( directive / modifier ) )` and the spaces after them.
    ///
    /// RFC 7208 § 4.6: "The syntax of the record is validated first, and if there are any syntax errors anywhere in the
    /// record, check_host() returns immediately with the result "permerror", without further interpretation or evaluation."
    mutating func read(_ terms: Octets) throws(SPFRecord.SyntaxError) {
        var rest = terms
        while true {
            rest = rest.drop { $0 == .space }
            guard !rest.isEmpty else { return }
            let term = rest.prefix { $0 != .space }
            rest = rest[term.endIndex...]
            do {
                try readTerm(term)
            } catch {
                throw SPFRecord.SyntaxError(error, term.prefix(128))
            }
        }
    }

    private mutating func readTerm(_ term: Octets) throws(Reason) {
        // RFC 7208 § 4.6.1: a modifier is a name with an "=" right behind it, before any ":" or "/".
        let name = term.prefix { $0.isAlpha || $0.isDigit || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E }
        if let first = name.first, first.isAlpha, name.endIndex < term.endIndex,
            term[name.endIndex] == UInt8(ascii: "=")
        {
            try readModifier(name, value: term[(name.endIndex + 1)...], term)
        } else {
            try readDirective(term)
        }
    }

    private mutating func readModifier(_ name: Octets, value: Octets, _ term: Octets) throws(Reason) {
        // RFC 7208 § 6: "redirect" and "exp" "MUST NOT appear in a record more than once each".
        if name.equalsIgnoringCase("redirect") {
            guard redirect == nil else { throw .repeatedModifier }
            redirect = SPFModifier(domain: try SPFDomainSpec(parsing: value), text: term)
        } else if name.equalsIgnoringCase("exp") {
            guard explanation == nil else { throw .repeatedModifier }
            explanation = SPFModifier(domain: try SPFDomainSpec(parsing: value), text: term)
        } else {
            // RFC 7208 § 6: "Unrecognized modifiers MUST be ignored"; § 12: their values must still be macro-strings.
            _ = try SPFMacroString(parsing: value, in: .record)
        }
    }

    /// RFC 7208 § 5.1: mechanisms after "all" are never tested, so only their syntax is checked.
    ///
    /// The same goes for mechanisms after too many terms.
    private var isTested: Bool { !hasAll && !isTruncated }

    private mutating func readDirective(_ term: Octets) throws(Reason) {
        let qualifier = term.first.flatMap(SPFQualifier.init)
        let text = qualifier == nil ? term : term.dropFirst()
        let name = text.prefix { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "/") }
        let mechanism = try mechanism(name, argument: text[name.endIndex...])
        let directive = SPFDirective(qualifier: qualifier ?? .pass, mechanism: mechanism, text: term)
        guard isTested else { return }
        if case .all = mechanism { hasAll = true }
        if directive.isLookup {
            lookupCount += 1
            guard lookupCount <= SPFOptions.termsCeiling else {
                isTruncated = true
                return
            }
        }
        directives.append(directive)
    }

    private func mechanism(_ name: Octets, argument: Octets) throws(Reason) -> SPFMechanism {
        if name.equalsIgnoringCase("ip4") { return .ip(try Self.network(argument, bits: 32)) }
        if name.equalsIgnoringCase("ip6") { return .ip(try Self.network(argument, bits: 128)) }
        if name.equalsIgnoringCase("include") { return .include(try requiredDomain(argument)) }
        if name.equalsIgnoringCase("exists") { return .exists(try requiredDomain(argument)) }
        if name.equalsIgnoringCase("ptr") { return .ptr(try optionalDomain(argument)) }
        if name.equalsIgnoringCase("all") {
            guard argument.isEmpty else { throw .unexpectedArgument }
            return .all
        }
        let isMX = name.equalsIgnoringCase("mx")
        guard isMX || name.equalsIgnoringCase("a") else { throw .unknownMechanism }
        let prefixes = try Self.dualPrefix(argument)
        let domain = try optionalDomain(prefixes.rest)
        return isMX
            ? .mx(domain, prefix4: prefixes.v4, prefix6: prefixes.v6)
            : .a(domain, prefix4: prefixes.v4, prefix6: prefixes.v6)
    }

    /// Reads `":" domain-spec`.
    private func requiredDomain(_ argument: Octets) throws(Reason) -> SPFDomainSpec {
        guard argument.first == UInt8(ascii: ":") else { throw .missingDomain }
        return try SPFDomainSpec(parsing: argument.dropFirst(), isTested: isTested)
    }

    /// Reads `[ ":" domain-spec ]`.
    private func optionalDomain(_ argument: Octets) throws(Reason) -> SPFDomainSpec? {
        if argument.isEmpty { return nil }
        guard argument.first == UInt8(ascii: ":") else { throw .unexpectedArgument }
        return try SPFDomainSpec(parsing: argument.dropFirst(), isTested: isTested)
    }

    /// Takes dual-cidr-length off the end: `[ "/" 1*2DIGIT ] [ "//" 1*3DIGIT ]`.
    private static func dualPrefix(_ argument: Octets) throws(Reason) -> (rest: Octets, v4: UInt8, v6: UInt8) {
        var rest = argument
        var v6: UInt8 = 128
        var v4: UInt8 = 32
        if let digits = trailingDigits(rest), rest[..<digits.startIndex].suffix(2).elementsEqual("//".utf8) {
            v6 = try prefixLength(digits, bits: 128)
            rest = rest[..<(digits.startIndex - 2)]
        }
        if let digits = trailingDigits(rest), rest[..<digits.startIndex].last == UInt8(ascii: "/") {
            v4 = try prefixLength(digits, bits: 32)
            rest = rest[..<(digits.startIndex - 1)]
        }
        return (rest, v4, v6)
    }

    private static func trailingDigits(_ text: Octets) -> Octets? {
        guard let last = text.last, last.isDigit else { return nil }
        guard let before = text.lastIndex(where: { !$0.isDigit }) else { return text }
        return text[(before + 1)...]
    }

    /// RFC 7208 § 12: `"0" / %x31-39 0*2DIGIT`, so no leading zeros, and "value range 0-32" or "0-128".
    private static func prefixLength(_ digits: Octets, bits: UInt8) throws(Reason) -> UInt8 {
        guard !digits.isEmpty, digits.count <= 3, digits.allSatisfy(\.isDigit),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else { throw .invalidPrefixLength }
        let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard value <= Int(bits) else { throw .invalidPrefixLength }
        return UInt8(value)
    }

    /// Reads `":" ip4-network [ ip4-cidr-length ]`, or the same for IPv6.
    private static func network(_ argument: Octets, bits: UInt8) throws(Reason) -> IPNetwork {
        guard argument.first == UInt8(ascii: ":") else { throw .missingDomain }
        let text = argument.dropFirst().prefix { $0 != UInt8(ascii: "/") }
        var length = bits
        if text.endIndex < argument.endIndex {
            length = try prefixLength(argument[(text.endIndex + 1)...], bits: bits)
        }
        guard let address = IPAddress(text), address.bitWidth == Int(bits),
            let network = IPNetwork(address, prefixLength: Int(length))
        else { throw .invalidAddress }
        return network
    }
}
