public import DNSLookup
public import MailSyntax

/// Why a check ended in "none", "temperror" or "permerror", or why a term did not match.
public enum SPFProblem: Hashable, Sendable {
    /// The identity's domain is not a domain name, or has only one label (RFC 7208 § 4.3).
    case malformedDomain
    /// The name does not exist (RFC 7208 § 4.3).
    case noSuchName(DomainName)
    /// The domain publishes no record (RFC 7208 § 4.5).
    case noRecord(DomainName)
    /// The domain publishes more than one record (RFC 7208 § 4.5).
    case severalRecords(DomainName)
    /// The domain's record has a syntax error (RFC 7208 § 4.6).
    case syntax(SPFRecord.SyntaxError, DomainName)
    /// The DNS did not answer (RFC 7208 §§ 4.4 and 5).
    case lookup(DNSQuestion, DNSLookupError)
    /// The term's domain is not a domain name once its macros are expanded (RFC 7208 § 4.8).
    case malformedTarget
    /// The term shows a local-part that is not US-ASCII (RFC 8616 § 4).
    case internationalizedLocalPart
    /// One term with DNS queries more than allowed (RFC 7208 § 4.6.4).
    case tooManyTerms(limit: Int)
    /// One void lookup more than allowed (RFC 7208 § 4.6.4).
    case tooManyVoidLookups(limit: Int)
    /// More than ten mail exchangers (RFC 7208 § 4.6.4).
    case tooManyExchanges(DomainName)
    /// More questions than Postern asks for one check.
    case tooManyQueries(limit: Int)
    /// There is no client address to check.
    case unknownClient
}

extension SPFProblem: CustomStringConvertible {
    /// One line for people, in printable US-ASCII.
    public var description: String {
        switch self {
        case .malformedDomain: "malformed domain name"
        case .noSuchName(let name): "\(name) does not exist"
        case .noRecord(let name): "no record at \(name)"
        case .severalRecords(let name): "more than one record at \(name)"
        case .syntax(let error, let name): "\(error.reason) in the record at \(name): \(error.term.printable)"
        case .lookup(let question, let error): "\(question): \(error)"
        case .malformedTarget: "malformed domain name in a term"
        case .internationalizedLocalPart: "local-part is not US-ASCII"
        case .tooManyTerms(let limit): "more than \(limit) terms with DNS lookups"
        case .tooManyVoidLookups(let limit): "more than \(limit) void lookups"
        case .tooManyExchanges(let name): "more than 10 MX records at \(name)"
        case .tooManyQueries(let limit): "more than \(limit) DNS queries"
        case .unknownClient: "the client's address is not known"
        }
    }
}

extension Octets {
    /// The octets as text, with a question mark for each octet that is not printable US-ASCII.
    package var printable: String {
        if allSatisfy({ $0 == .space || $0.isVChar }) { return String(decoding: self, as: UTF8.self) }
        return String(decoding: map { $0 == .space || $0.isVChar ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
