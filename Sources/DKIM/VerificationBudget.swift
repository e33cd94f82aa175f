/// What checking the header fields of one message may still cost, whatever its sender wrote.
///
/// The first key of each signature is always tried, and the header always hashed once.
struct VerificationBudget {
    /// How many keys beyond the first of each signature are tried.
    private var spareKeys = 6
    /// How many octets of header fields are hashed, beyond those of the first signature.
    private var headerOctets: Int
    private var hasHashed = false

    init(_ options: DKIMVerificationOptions) {
        headerOctets = options.maximumHeaderOctets
    }

    /// Pays for an operation with a key.
    mutating func payKey(isFirst: Bool) -> Bool {
        if isFirst { return true }
        guard spareKeys > 0 else { return false }
        spareKeys -= 1
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
