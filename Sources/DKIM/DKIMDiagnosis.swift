/// A single change to a message that explains why a hash differs: undoing the change gives the signed hash.
public enum DKIMDiagnosis: Hashable, Sendable {
    /// This many octets were appended to the body, beginning on a line of their own.
    case footerAppended(octets: Int)
    /// This many octets were put before the body, ending with a line of their own.
    case bannerAdded(octets: Int)
    /// White space was added at the ends of lines of the body.
    case trailingWhiteSpaceAdded
    /// The space after the `--` before a mail signature was lost (RFC 3676 § 4.3).
    case signatureSeparatorCut
    /// The body was signed with LF as its line ends, not with CRLF.
    case bodySignedWithLF
    /// Line ends became CR CR LF.
    case lineEndsDoubled
    /// A dot at the beginning of lines was added or lost in transport (RFC 5321 § 4.5.2).
    case dotStuffing
    /// Lines too long for SMTP were broken.
    case longLinesBroken
    /// The signer used another canonicalization than `c=` says.
    case canonicalizationMisnamed
    /// This text was put into the Subject.
    case subjectTagged(String)
    /// Header fields were folded differently.
    case headerRefolded
    /// White space at the ends of header fields, or after their colons, changed.
    case headerWhiteSpace
    /// The case of field names changed.
    case fieldNameCase
    /// The header was signed with LF as its line ends, not with CRLF.
    case headerSignedWithLF
    /// A field of this name was added.
    case fieldAdded(String)
    /// A field of this name was changed, according to the signer's own copy (`z=`).
    case fieldChanged(String)
}

extension DKIMDiagnosis: CustomStringConvertible {
    /// The change in words.
    public var description: String {
        switch self {
        case .footerAppended(let octets): "a footer of \(octets) octets was appended"
        case .bannerAdded(let octets): "a banner of \(octets) octets was put above the body"
        case .trailingWhiteSpaceAdded: "white space was added at the ends of lines"
        case .signatureSeparatorCut: "the space of the \"-- \" line was cut off"
        case .bodySignedWithLF: "the body was signed with LF line ends"
        case .lineEndsDoubled: "line ends became CR CR LF"
        case .dotStuffing: "dots at the beginning of lines were added or lost"
        case .longLinesBroken: "long lines were broken"
        case .canonicalizationMisnamed: "the signer did not canonicalize as c= says"
        case .subjectTagged(let tag): "\"\(tag)\" was put into the Subject"
        case .headerRefolded: "header fields were folded anew"
        case .headerWhiteSpace: "white space around header values changed"
        case .fieldNameCase: "the case of field names changed"
        case .headerSignedWithLF: "the header was signed with LF line ends"
        case .fieldAdded(let name): "a \(name) field was added"
        case .fieldChanged(let name): "the \(name) field was changed"
        }
    }
}
