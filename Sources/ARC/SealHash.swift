internal import DKIM
internal import MailCrypto
internal import MailSyntax

/// The hash of all sets so far, in the order in which a seal covers them (RFC 8617 § 5.1.1).
///
/// A seal covers all sets before it: each field is hashed once for all the seals above it, so the work grows no faster
/// than the header.
struct SealHash {
    private let running = SHA256Hasher()

    /// Adds the results and the message signature of the next set.
    ///
    /// § 5.1.1: sets are "supplied to the hash function in increasing instance order, starting at 1"; within a set the
    /// order is results, message signature, seal.
    ///
    /// - Returns: the digest that the set's seal signs.
    func digest(results: HeaderField, message: HeaderField, unsignedSeal: HeaderField) -> [UInt8] {
        var covered = HeaderCanonicalizer(.relaxed)
        covered.append(results)
        covered.append(message)
        running.update(covered.octets)
        let hasher = running.copy()
        var own = HeaderCanonicalizer(.relaxed)
        own.appendWithoutLineEnd(unsignedSeal)
        hasher.update(own.octets)
        return hasher.finish()
    }

    /// Adds a whole set, which is covered by the next seal.
    func add(_ fields: [HeaderField]) {
        var covered = HeaderCanonicalizer(.relaxed)
        for field in fields { covered.append(field) }
        running.update(covered.octets)
    }
}

extension ARCChain {
    /// The hashed fields that each seal covers, from instance 1 up.
    var sealedHeaders: [SignedHeader] {
        let hash = SealHash()
        return sets.map { set in
            let digest = hash.digest(
                results: set.results.field,
                message: set.message.field,
                unsignedSeal: set.sealSignature.unsignedField
            )
            hash.add([set.seal.field])
            return SignedHeader(set.sealSignature, digest: digest)
        }
    }
}
