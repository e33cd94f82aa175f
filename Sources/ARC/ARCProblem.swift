public import DKIM

/// Why a chain does not pass.
public enum ARCProblem: Error, Hashable, Sendable {
    /// A field has no instance from 1 to 50 (RFC 8617 § 4.2.1).
    case instance(ARCMember)
    /// A set has a second field of a kind.
    case duplicate(ARCMember, Int)
    /// A set lacks a field.
    case missing(ARCMember, Int)
    /// The field of an instance cannot be used; nil when its instance could not be read.
    case unreadable(ARCMember, Int?, DKIMSignature.SyntaxError)
    /// The seal of an instance says that the chain had failed already, `cv=fail`.
    case failedBefore(Int)
    /// `cv=` of an instance is absent or not the value that its place in the chain requires.
    case status(Int)
    /// The domains and selectors have more U-labels than are read.
    case uLabels
    /// The seal of an instance has `h=`.
    case sealNamesFields(Int)
    /// The message signature of an instance covers seals.
    case signsSeals(Int)
    /// The algorithm of the field of an instance is historic (RFC 8301 § 3.1).
    case algorithm(ARCMember, Int)
    /// The message signature of an instance has expired.
    case expired(Int)
    /// The signature in the field of an instance is not valid, with the reason in words.
    case signature(ARCMember, Int, String)
    /// The DNS gave no answer about the key of an instance, with the reason in words.
    case unanswered(ARCMember, Int, String)
}

extension ARCProblem: CustomStringConvertible {
    /// The problem in words.
    public var description: String {
        switch self {
        case .instance(let member): "\(member.rawValue) without an instance from 1 to \(ARCField.maximumInstance)"
        case .duplicate(let member, let instance): "second \(member.rawValue) with i=\(instance)"
        case .missing(let member, let instance): "no \(member.rawValue) with i=\(instance)"
        case .unreadable(let member, nil, let error): "\(member.rawValue): \(error)"
        case .unreadable(let member, let instance?, let error): "\(member.rawValue) i=\(instance): \(error)"
        case .failedBefore(let instance): "the sealer of i=\(instance) found the chain broken"
        case .status(let instance): "ARC-Seal i=\(instance): cv= is not \(instance == 1 ? "none" : "pass")"
        case .uLabels: "the domains of the seals have too many U-labels"
        case .sealNamesFields(let instance): "ARC-Seal i=\(instance) has h="
        case .signsSeals(let instance): "ARC-Message-Signature i=\(instance) signs ARC-Seal"
        case .algorithm(let member, let instance): "\(member.rawValue) i=\(instance): rsa-sha1 is historic"
        case .expired(let instance): "ARC-Message-Signature i=\(instance): signature expired"
        case .signature(let member, let instance, let reason), .unanswered(let member, let instance, let reason):
            "\(member.rawValue) i=\(instance): \(reason)"
        }
    }
}
