public import MailSyntax

/// How it is found out whether two domains have one Organizational Domain.
public enum AlignmentMethod: Sendable {
    /// By the DNS Tree Walk alone (RFC 9989 § 4.10).
    case walk
    /// The same; where the public suffix list says something else, the outcome notes it.
    case walkBeside(PublicSuffixList)
    /// By either: domains that the walk finds apart are aligned when the list says so (RFC 7489 § 3.2).
    ///
    /// The list is taken with its private part, which keeps the customers of one provider apart: it is asked for more
    /// alignment, so the finer list is the safer one. Where a record says by its `psd` tag where an organization begins,
    /// the list is not asked.
    case walkOrList(PublicSuffixList)

    /// The list, if one is asked.
    var list: PublicSuffixList? {
        switch self {
        case .walk: nil
        case .walkBeside(let list), .walkOrList(let list): list
        }
    }
}

/// What the public suffix list says of a domain that vouches, where the walk says the opposite.
public struct DMARCListRemark: Hashable, Sendable, CustomStringConvertible {
    /// The domain that vouches.
    public let identifier: DomainName
    /// The author's.
    public let author: DomainName
    /// Whether the list has both in one organization; the walk has not, and the other way round.
    public let isAligned: Bool

    /// The remark in words.
    public var description: String {
        "public suffix list: \(identifier) and \(author) are \(isAligned ? "one organization" : "two organizations"), "
            + "by the tree walk \(isAligned ? "two" : "one")"
    }
}
