internal import DKIM
internal import MailCrypto

extension ARCChain {
    /// The hashed fields that each seal covers, from instance 1 up (RFC 8617 § 5.1.1).
    ///
    /// A seal covers all sets before it: each field is hashed once for all the seals above it, so the work grows no
    /// faster than the header.
    var sealedHeaders: [SignedHeader] {
        let running = SHA256Hasher()
        return sets.map { set in
            // § 5.1.1: "supplied to the hash function in increasing instance order, starting at 1"; within a set the
            // order is results, message signature, seal.
            var covered = HeaderCanonicalizer(.relaxed)
            covered.append(set.results.field)
            covered.append(set.message.field)
            running.update(covered.octets)
            let hasher = running.copy()
            var own = HeaderCanonicalizer(.relaxed)
            own.appendWithoutLineEnd(set.sealSignature.unsignedField)
            hasher.update(own.octets)
            var seal = HeaderCanonicalizer(.relaxed)
            seal.append(set.seal.field)
            running.update(seal.octets)
            return SignedHeader(set.sealSignature, digest: hasher.finish())
        }
    }
}
