/// Why the value of a structured header field (RFC 5322 § 2.2.2) cannot be read.
public enum StructuredFieldError: Error, Hashable, Sendable {
    /// There is nothing where something must be.
    case empty
    /// An address without `@` and domain.
    case noDomain
    /// A comment, quoted string, domain literal, angle bracket or group that does not end.
    case unterminated
    /// A NUL, or a CR or LF that belongs to no fold.
    case forbiddenOctet
    /// Comments within comments, deeper than 64.
    case tooDeep
    /// More members than the reader takes.
    case tooMany
    /// Anything else the grammar does not allow in this place.
    case unexpected
}
