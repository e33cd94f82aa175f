/// The options of a verifier.
public struct DKIMVerificationOptions: Hashable, Sendable {
    /// The result when a body has octets after its signed length, `l=`.
    public enum UnsignedBody: String, Hashable, Sendable, CaseIterable {
        /// The signer did not write them: the result is `policy` (RFC 6376 § 8.2).
        case policy
        /// The result does not depend on them.
        case pass
    }

    /// How many signatures of a message are examined, from the top; the rest are reported as over the limit.
    public var maximumSignatures = 10
    /// The length of the shortest accepted RSA key, in bits; keys below 1024 are never accepted (RFC 8301 § 3.2).
    public var minimumBits = 1024
    /// The length of the longest accepted RSA key, in bits; keys above 8192 are never accepted: they cost too much.
    public var maximumBits = 4096
    /// How many octets of header fields are hashed for all signatures of a message together, after the first.
    public var maximumHeaderOctets = 262_144
    /// The result when a body is longer than `l=` says.
    public var unsignedBody = UnsignedBody.policy
    /// How many seconds the signer's clock may differ from ours.
    public var clockSkew: Int64 = 300
    /// The length in octets up to which a whole body is kept, to find out what changed in it.
    ///
    /// It is less than the 65,535 octets that MTAs send at a time: nothing is kept of a longer body.
    public var diagnosedBodyOctets = 61_440

    /// How many octets may be hashed to find out what changed in a message whose signatures fail; 0 turns this off.
    ///
    /// The default takes a millisecond or two, enough for the changes that lists and gateways make to ordinary mail.
    public var diagnosisOctets = 262_144

    /// The defaults.
    public init() {}
}
