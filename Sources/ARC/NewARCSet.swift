public import DKIM

/// A set that was made for a message (RFC 8617 § 5.1).
public struct NewARCSet: Sendable {
    /// The instance.
    public let instance: Int
    /// What the seal says of the chain before it, `cv=`.
    public let status: ARCResult
    /// The fields, from the top; the values have a leading space, and CRLF in their folds.
    public let fields: [(member: ARCMember, value: [UInt8])]
}

/// Why a message is not sealed.
public enum ARCSealingError: Error, Hashable, Sendable {
    /// A key of an earlier seal got no answer of the DNS.
    ///
    /// RFC 8617 § 5.2.1 calls this a failed chain, and a seal that says so ends the chain for good. Without a seal the
    /// next host can still find it whole.
    case unanswered
    /// There are as many sets as a message may have (§ 4.2.1).
    case full
    /// The message signature or the seal could not be made.
    case signing(DKIMSigningError)
}

extension ARCSealingError: CustomStringConvertible {
    /// The reason in words.
    public var description: String {
        switch self {
        case .unanswered: "no answer of the DNS about an earlier seal"
        case .full: "there are \(ARCField.maximumInstance) sets already"
        case .signing(let error): "\(error)"
        }
    }
}
