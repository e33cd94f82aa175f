/// Why the value of a structured header field (RFC 5322 § 2.2.2) cannot be read.
public enum StructuredFieldError: Error, Hashable, Sendable {
    /// A required part is missing.
    case empty
    /// An address without `@` and domain.
    case noDomain
    /// A comment, quoted string, domain literal, angle bracket or group that does not end.
    case unterminated
    /// A NUL, or a CR or LF that is not part of a fold.
    case forbiddenOctet
    /// Comments nested deeper than 64.
    case tooDeep
    /// More members than are read.
    case tooMany
    /// More octets than are read.
    case tooLong
    /// A domain that no host can have; a reader may see another domain in it.
    case impossibleDomain
    /// An address beside the address in angle brackets; two readers may choose different ones.
    case ambiguous
    /// Anything else that the grammar does not allow in this place.
    case unexpected
}

extension StructuredFieldError: CustomStringConvertible {
    /// A few words for people.
    public var description: String {
        switch self {
        case .empty: "empty"
        case .noDomain: "no address"
        case .unterminated: "a comment, string or bracket does not end"
        case .forbiddenOctet: "a forbidden character"
        case .tooDeep: "comments nested too deeply"
        case .tooMany: "too many addresses"
        case .tooLong: "too long"
        case .impossibleDomain: "a domain that no host can have"
        case .ambiguous: "more than one address could be meant"
        case .unexpected: "not a list of addresses"
        }
    }
}
