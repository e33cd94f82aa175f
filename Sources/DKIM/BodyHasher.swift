internal import MailCrypto

/// The hashes of one canonical form of a body: of the whole, and of as many octets as `l=` counts (RFC 6376 § 3.5).
///
/// The body is canonicalized and hashed only once, for any number of lengths: the hash of the first octets is the
/// running hash at that point.
package struct BodyHasher {
    /// The hash that a signature asks for.
    struct Form: Hashable, Sendable {
        var canonicalization: Canonicalization
        /// How many canonical octets count; nil for all.
        var length: UInt64?
    }

    /// The canonical form that is hashed.
    package let canonicalization: Canonicalization
    /// How many canonical octets have been seen.
    ///
    /// Octets after the last length need not all be seen.
    private(set) var octetCount: UInt64 = 0

    private var canonicalizer: BodyCanonicalizer
    private let hasher = SHA256Hasher()
    /// The hash of the whole body, once it has ended.
    private var digest: [UInt8] = []
    private var isWholeWanted = false
    /// The requested lengths, in ascending order.
    private var lengths: [UInt64] = []
    /// The hashes for the first of these lengths, as far as the body has passed them.
    private var digests: [[UInt8]] = []
    /// The next length to stop at.
    private var next = UInt64.max

    /// A hasher at the beginning of a body.
    package init(_ canonicalization: Canonicalization) {
        self.canonicalization = canonicalization
        canonicalizer = BodyCanonicalizer(canonicalization)
    }

    /// A hasher for a single form.
    init(_ form: Form) {
        self.init(form.canonicalization)
        add(form.length)
    }

    /// Requests the hash of that many octets, or of the whole body; call it before the body begins.
    package mutating func add(_ length: UInt64?) {
        guard let length else {
            isWholeWanted = true
            return
        }
        guard !lengths.contains(length) else { return }
        lengths.append(length)
        lengths.sort()
        next = lengths[0]
    }

    /// Whether the body is longer than all requested lengths.
    package var isBeyondLength: Bool { !isWholeWanted && octetCount > lengths.last ?? .max }

    /// Takes the next octets of the body, cut at any place.
    package mutating func update(_ chunk: UnsafeRawBufferPointer) {
        guard !isBeyondLength else { return }
        var canonicalizer = canonicalizer
        unsafe canonicalizer.update(chunk) { run in unsafe take(run) }
        self.canonicalizer = canonicalizer
    }

    /// Ends the body.
    package mutating func finish() {
        guard digest.isEmpty else { return }
        var canonicalizer = canonicalizer
        unsafe canonicalizer.finish { run in unsafe take(run) }
        while next == octetCount, digests.count < lengths.count { pass() }
        digest = hasher.finish()
    }

    /// The hash of that many octets, or of the whole body, after the body has ended; a shorter body is hashed whole.
    func digest(_ length: UInt64?) -> [UInt8] {
        guard let length, let index = lengths.firstIndex(of: length), index < digests.count else { return digest }
        return digests[index]
    }

    /// The body for a signature, after the body has ended.
    package func body(for signature: DKIMSignature) -> SignedBody {
        SignedBody(hash: digest(signature.length), octetCount: octetCount, octets: nil)
    }

    private mutating func take(_ run: UnsafeRawBufferPointer) {
        let end = octetCount + UInt64(run.count)
        var start = 0
        while next <= end, digests.count < lengths.count {
            let count = Int(next - octetCount)
            unsafe hasher.update(UnsafeRawBufferPointer(rebasing: run[start..<start + count]))
            start += count
            octetCount = next
            pass()
        }
        // Octets after the last length are counted but not hashed.
        if isWholeWanted || digests.count < lengths.count {
            unsafe hasher.update(UnsafeRawBufferPointer(rebasing: run[start...]))
        }
        octetCount = end
    }

    /// Keeps the hash of the octets seen so far.
    private mutating func pass() {
        digests.append(hasher.copy().finish())
        next = digests.count < lengths.count ? lengths[digests.count] : .max
    }
}
