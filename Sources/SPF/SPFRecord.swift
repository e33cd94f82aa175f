public import MailSyntax

/// The result of a matching mechanism (RFC 7208 § 4.6.2, qualifier).
public enum SPFQualifier: UInt8, Hashable, Sendable {
    /// `+`, or no qualifier.
    case pass = 0x2B
    /// `-`
    case fail = 0x2D
    /// `?`
    case neutral = 0x3F
    /// `~`
    case softfail = 0x7E

    /// The result of a check that ends with this qualifier.
    public var result: SPFResult {
        switch self {
        case .pass: .pass
        case .fail: .fail
        case .neutral: .neutral
        case .softfail: .softfail
        }
    }
}

/// A mechanism: a description of clients (RFC 7208 § 5).
///
/// When an optional domain-spec is absent, the mechanism uses the current domain. Prefix lengths count bits.
public enum SPFMechanism: Sendable {
    /// Every client (§ 5.1).
    case all
    /// The clients that pass by another domain's record (§ 5.2).
    case include(SPFDomainSpec)
    /// The addresses of a host (§ 5.3).
    case a(SPFDomainSpec?, prefix4: UInt8, prefix6: UInt8)
    /// The addresses of a domain's mail exchangers (§ 5.4).
    case mx(SPFDomainSpec?, prefix4: UInt8, prefix6: UInt8)
    /// The hosts with a validated name in a domain (§ 5.5).
    case ptr(SPFDomainSpec?)
    /// An address or a block of addresses, of either family (§ 5.6).
    case ip(IPNetwork)
    /// Every client for which a name has an address (§ 5.7).
    case exists(SPFDomainSpec)
}

/// One directive of a record: a mechanism, and the result when it matches (RFC 7208 § 4.6.1).
public struct SPFDirective: Sendable {
    /// The result when the mechanism matches.
    public let qualifier: SPFQualifier
    /// The clients that match.
    public let mechanism: SPFMechanism
    /// The directive as it was written.
    public let text: Octets

    /// Whether the term, which matches a client, is a pass for nearly every other client as well.
    ///
    /// `exists` with the client's address in its name can be so too, but only its name server knows.
    ///
    /// - Parameter includesOpen: for `include`, whether the included record has passed by such a term.
    func isOpen(for client: IPAddress, includesOpen: Bool) -> Bool {
        guard qualifier == .pass else { return false }
        return switch mechanism {
        case .all: true
        case .include: includesOpen
        case .ip(let network): client.isMost(network.prefixLength)
        case .a(_, let prefix4, let prefix6), .mx(_, let prefix4, let prefix6):
            client.isMost(Int(client.bitWidth == 32 ? prefix4 : prefix6))
        case .ptr, .exists: false
        }
    }

    /// RFC 7208 § 4.6.4: whether the term queries the DNS.
    var isLookup: Bool {
        switch mechanism {
        case .all, .ip: false
        case .include, .a, .mx, .ptr, .exists: true
        }
    }
}

extension IPAddress {
    /// Whether a network of this prefix length around the address is a part of the internet that no one has: beyond the
    /// largest blocks of addresses, /8, or above what a registry gets, /12 of IPv6.
    fileprivate func isMost(_ prefixLength: Int) -> Bool { prefixLength < (bitWidth == 32 ? 8 : 12) }
}

/// A modifier with a domain (RFC 7208 § 6).
public struct SPFModifier: Sendable {
    /// The domain that the modifier names.
    public let domain: SPFDomainSpec
    /// The modifier as it was written.
    public let text: Octets
}

/// A parsed SPF record.
///
/// A class, because the DNS answer keeps it and every message uses it.
public final class SPFRecord: Sendable {
    /// The whole record as it was published.
    public let text: Octets
    /// The directives in their order, up to the first "all"; directives after it are never tested (RFC 7208 § 5.1).
    public let directives: [SPFDirective]
    /// The domain to continue with when nothing matches (RFC 7208 § 6.1); nil also when there is an "all" (§ 5.1).
    public let redirect: SPFModifier?
    /// The place of the explanation of a fail (RFC 7208 § 6.2).
    public let explanation: SPFModifier?
    /// Whether there were more terms with lookups than any evaluation reaches, and the rest was left out.
    let isTruncated: Bool

    /// Reads a `v=spf1` record (RFC 7208 § 12).
    public convenience init(parsing text: Octets) throws(SyntaxError) {
        guard Self.hasVersion1(text) else { throw SyntaxError(.noVersion, text.prefix(6)) }
        try self.init(text: text, terms: text.dropFirst(6))
    }

    /// Reads the terms of a record whose version section has been read.
    ///
    /// - Parameters:
    ///   - text: the whole record.
    ///   - terms: the text after the version section, spaces included.
    package init(text: Octets, terms: Octets) throws(SyntaxError) {
        var builder = SPFRecordBuilder()
        try builder.read(terms)
        self.text = text
        self.directives = builder.directives
        self.redirect = builder.hasAll ? nil : builder.redirect
        self.explanation = builder.explanation
        self.isTruncated = builder.isTruncated
    }

    /// Whether a TXT record is a `v=spf1` record.
    ///
    /// RFC 7208 § 4.5: "Records that do not begin with a version section of exactly "v=spf1" are discarded. Note that the
    /// version section is terminated by either an SP character or the end of the record."
    package static func hasVersion1(_ text: Octets) -> Bool {
        guard text.prefix(6).equalsIgnoringCase("v=spf1") else { return false }
        return text.count == 6 || text[text.startIndex + 6] == .space
    }
}

extension SPFRecord {
    /// The error in a record, and its term.
    public struct SyntaxError: Error, Hashable, Sendable {
        /// The kinds of errors.
        public enum Reason: Error, Hashable, Sendable {
            /// The record does not begin with its version.
            case noVersion
            /// The term is neither a defined mechanism nor a modifier.
            case unknownMechanism
            /// A required domain is missing.
            case missingDomain
            /// The domain does not end in a top-level label or a macro.
            case invalidDomain
            /// A percent sign that begins no macro, or a macro that is not allowed here.
            case invalidMacro
            /// An octet that must not occur in a record.
            case forbiddenOctet
            /// The address is not an address of its family.
            case invalidAddress
            /// A prefix length that is not a number or is too large.
            case invalidPrefixLength
            /// Text follows a mechanism that has no argument.
            case unexpectedArgument
            /// A modifier that may occur once occurs twice.
            case repeatedModifier
        }

        /// The kind of error.
        public let reason: Reason
        /// The term, or its beginning.
        public let term: Octets

        init(_ reason: Reason, _ term: Octets) {
            self.reason = reason
            self.term = term
        }
    }
}

extension SPFRecord.SyntaxError.Reason: CustomStringConvertible {
    /// A few words for people.
    public var description: String {
        switch self {
        case .noVersion: "no version"
        case .unknownMechanism: "unknown mechanism"
        case .missingDomain: "missing domain"
        case .invalidDomain: "invalid domain"
        case .invalidMacro: "invalid macro"
        case .forbiddenOctet: "forbidden octet"
        case .invalidAddress: "invalid address"
        case .invalidPrefixLength: "invalid prefix length"
        case .unexpectedArgument: "unexpected argument"
        case .repeatedModifier: "repeated modifier"
        }
    }
}
