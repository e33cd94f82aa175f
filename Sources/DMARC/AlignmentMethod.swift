public import MailSyntax

/// The way to find out whether two domains have the same Organizational Domain.
public enum AlignmentMethod: Sendable {
    /// By the DNS Tree Walk alone (RFC 9989 § 4.10).
    case walk
    /// By the DNS Tree Walk alone; the outcome notes where the public suffix list disagrees.
    case walkBeside(PublicSuffixList)
    /// By either: domains that the walk does not align are aligned when the list aligns them (RFC 7489 § 3.2).
    ///
    /// The private part of the list is used too. It separates the customers of one provider. The list can only add
    /// alignment, so the finer list is the safer one. Where a `psd` tag marks the beginning of an organization, the
    /// list is not used.
    case walkOrList(PublicSuffixList)

    /// The list, if the method uses one.
    var list: PublicSuffixList? {
        switch self {
        case .walk: nil
        case .walkBeside(let list), .walkOrList(let list): list
        }
    }
}

/// A domain that passed SPF or DKIM, about which the public suffix list contradicts the walk.
public struct DMARCListRemark: Hashable, Sendable, CustomStringConvertible {
    /// The domain that passed.
    public let identifier: DomainName
    /// The author's domain.
    public let author: DomainName
    /// Whether the list puts both into one organization; the walk does the opposite.
    public let isAligned: Bool

    /// The remark in words.
    public var description: String {
        "public suffix list: \(identifier) and \(author) are \(isAligned ? "one organization" : "two organizations"), "
            + "by the tree walk \(isAligned ? "two" : "one")"
    }
}
