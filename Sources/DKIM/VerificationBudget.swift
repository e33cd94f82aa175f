internal import MailCrypto

/// What checking the header fields of one message may still cost, whatever its sender wrote.
///
/// The header is always hashed once. Keys are paid for by `PublicKey.verificationCost`.
struct VerificationBudget {
    /// For the first key of each signature: twelve of Ed25519, or six of RSA with 4,096 bits and the usual exponent.
    private var firstKeys = 24
    /// For further keys of the same signatures: half as many.
    private var spareKeys = 12
    /// How many octets of header fields are hashed, beyond those of the first signature.
    private var headerOctets: Int
    private var hasHashed = false

    init(_ options: DKIMVerificationOptions) {
        headerOctets = options.maximumHeaderOctets
    }

    /// Pays for an operation with a key; false, and nothing paid, when it costs more than is left.
    mutating func pay(for key: PublicKey, isFirst: Bool) -> Bool {
        let cost = key.verificationCost
        guard cost <= (isFirst ? firstKeys : spareKeys) else { return false }
        if isFirst { firstKeys -= cost } else { spareKeys -= cost }
        return true
    }

    /// The fields that a signature names, hashed; nil when they are too long.
    mutating func header(of signature: DKIMSignature, at index: Int, in fields: SignedFields) -> SignedHeader? {
        var left = hasHashed ? headerOctets : .max
        guard let header = SignedHeader(signature, at: index, in: fields, octetsLeft: &left) else { return nil }
        if hasHashed { headerOctets = left }
        hasHashed = true
        return header
    }
}
