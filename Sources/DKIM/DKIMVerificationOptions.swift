/// What a verifier accepts.
public struct DKIMVerificationOptions: Hashable, Sendable {
    /// What to make of octets of a body that follow its signed length, `l=`.
    public enum UnsignedBody: String, Hashable, Sendable, CaseIterable {
        /// Whoever appended them is not the signer: the result is `policy` (RFC 6376 § 8.2).
        case policy
        /// They do not matter.
        case pass
    }

    /// How many signatures of a message are examined, from the top; the rest is reported as over the limit.
    public var maximumSignatures = 10
    /// The shortest RSA key that is accepted, in bits; below 1024 nothing ever is (RFC 8301 § 3.2).
    public var minimumBits = 1024
    /// The longest RSA key that is accepted, in bits; above 8192 nothing ever is, because of what it costs.
    public var maximumBits = 4096
    /// How many octets of header fields are hashed for all signatures of a message together, beyond those of the first.
    public var maximumHeaderOctets = 262_144
    /// What to make of a body that is longer than `l=` says.
    public var unsignedBody = UnsignedBody.policy
    /// By how many seconds the signer's clock may differ from ours.
    public var clockSkew: Int64 = 300
    /// How many octets of a body are kept for finding out what changed in it, when the whole body is no longer.
    ///
    /// Less than the 65,535 octets that MTAs send at a time: of a body that is longer, nothing is kept.
    public var diagnosedBodyOctets = 61_440

    /// How many octets may be hashed to find out what changed in a message whose signatures fail; none when 0.
    ///
    /// The default takes a millisecond or two, and reaches for the changes that lists and gateways make to ordinary mail.
    public var diagnosisOctets = 262_144

    /// The defaults.
    public init() {}
}
