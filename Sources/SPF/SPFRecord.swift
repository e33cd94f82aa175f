public import MailSyntax

/// What a matching mechanism says (RFC 7208 § 4.6.2, qualifier).
public enum SPFQualifier: UInt8, Hashable, Sendable {
    /// `+`, and no qualifier at all.
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

/// A way to say which clients are meant (RFC 7208 § 5).
///
/// Where a domain-spec may be left out and is, the current domain is meant. Prefix lengths count bits.
public enum SPFMechanism: Sendable {
    /// Every client (§ 5.1).
    case all
    /// The clients that another domain's record lets pass (§ 5.2).
    case include(SPFDomainSpec)
    /// The addresses of a host (§ 5.3).
    case a(SPFDomainSpec?, prefix4: UInt8, prefix6: UInt8)
    /// The addresses of a domain's mail exchangers (§ 5.4).
    case mx(SPFDomainSpec?, prefix4: UInt8, prefix6: UInt8)
    /// The hosts whose validated names lie in a domain (§ 5.5).
    case ptr(SPFDomainSpec?)
    /// An address or a block of them, of either family (§ 5.6).
    case ip(IPNetwork)
    /// Every client for which a name has an address (§ 5.7).
    case exists(SPFDomainSpec)
}

/// One directive of a record: a mechanism and what it means to match it (RFC 7208 § 4.6.1).
public struct SPFDirective: Sendable {
    /// The result when the mechanism matches.
    public let qualifier: SPFQualifier
    /// Which clients it matches.
    public let mechanism: SPFMechanism
    /// The directive as it was written.
    public let text: Octets

    /// RFC 7208 § 4.6.4: these terms query the DNS, the others do not.
    var isLookup: Bool {
        switch mechanism {
        case .all, .ip: false
        case .include, .a, .mx, .ptr, .exists: true
        }
    }
}

/// A modifier with a domain (RFC 7208 § 6).
public struct SPFModifier: Sendable {
    /// The domain it names.
    public let domain: SPFDomainSpec
    /// The modifier as it was written.
    public let text: Octets
}

/// An SPF record, understood.
///
/// A class, for it is kept beside the DNS answer it was read from and used by every message.
public final class SPFRecord: Sendable {
    /// The whole record as it was published.
    public let text: Octets
    /// The directives in their order, up to the first "all"; none behind it is ever tested (RFC 7208 § 5.1).
    public let directives: [SPFDirective]
    /// Where to go on when nothing matches (RFC 7208 § 6.1); nil too when there is an "all" (§ 5.1).
    public let redirect: SPFModifier?
    /// Where the explanation of a fail is (RFC 7208 § 6.2).
    public let explanation: SPFModifier?
    /// Whether there were more terms with lookups than any evaluation goes through, and the rest was left out.
    let isTruncated: Bool

    /// Reads a `v=spf1` record (RFC 7208 § 12).
    public convenience init(parsing text: Octets) throws(SyntaxError) {
        guard Self.hasVersion1(text) else { throw SyntaxError(.noVersion, text.prefix(6)) }
        try self.init(text: text, terms: text.dropFirst(6))
    }

    /// Reads the terms of a record whose version section is understood already.
    ///
    /// - Parameters:
    ///   - text: the whole record.
    ///   - terms: what follows the version section, spaces included.
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
    /// What is wrong with a record, and in which term.
    public struct SyntaxError: Error, Hashable, Sendable {
        /// The kinds of mistakes.
        public enum Reason: Error, Hashable, Sendable {
            /// The record does not begin with its version.
            case noVersion
            /// The term is no mechanism that is defined, and no modifier.
            case unknownMechanism
            /// A domain is needed, and there is none.
            case missingDomain
            /// The domain does not end in a top-level label or a macro.
            case invalidDomain
            /// A percent sign that begins no macro, or a macro that is not defined here.
            case invalidMacro
            /// An octet that may not occur in a record.
            case forbiddenOctet
            /// The address is none of its family.
            case invalidAddress
            /// A prefix length that is no number or too large.
            case invalidPrefixLength
            /// Something follows a mechanism that takes nothing.
            case unexpectedArgument
            /// A modifier that may occur once occurs twice.
            case repeatedModifier
        }

        /// What is wrong.
        public let reason: Reason
        /// The term, or the beginning of it.
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
