internal import MailCrypto

/// The work that checking the header fields of one message may still cause, whatever its sender wrote.
///
/// The header is always hashed once. `PublicKey.verificationCost` is the price of a key.
package struct VerificationBudget: Sendable {
    /// For the first key of each signature; 24 is enough for twelve Ed25519 keys, or six RSA keys of 4,096 bits with the
    /// usual exponent.
    private var firstKeys: Int
    /// For further keys of the same signatures: half as much.
    private var spareKeys = 12
    /// How many octets of header fields may be hashed, in addition to those of the first signature.
    private var headerOctets: Int
    private var hasHashed = false

    /// A budget.
    ///
    /// - Parameters:
    ///   - options: how many octets of header fields may be hashed.
    ///   - keys: the price of the first keys of all signatures together.
    package init(_ options: DKIMVerificationOptions, keys: Int = 24) {
        firstKeys = keys
        headerOctets = options.maximumHeaderOctets
    }

    /// Pays for an operation with a key; returns false, and pays nothing, when it costs more than is left.
    mutating func pay(for key: PublicKey, isFirst: Bool) -> Bool {
        let cost = key.verificationCost
        guard cost <= (isFirst ? firstKeys : spareKeys) else { return false }
        if isFirst { firstKeys -= cost } else { spareKeys -= cost }
        return true
    }

    /// The hashed fields that a signature names; nil when they are too long.
    mutating func header(of signature: DKIMSignature, at index: Int, in fields: SignedFields) -> SignedHeader? {
        var left = hasHashed ? headerOctets : .max
        guard let header = SignedHeader(signature, at: index, in: fields, octetsLeft: &left) else { return nil }
        if hasHashed { headerOctets = left }
        hasHashed = true
        return header
    }
}
