internal import MailCrypto

/// The hashes of one canonical form of a body: of all of it, and of as many octets as `l=` counts (RFC 6376 § 3.5).
///
/// The body is canonicalized and hashed once, however many lengths are wanted: the hash of the first octets is the running
/// hash where they end.
struct BodyHasher {
    /// Which hash a signature asks for.
    struct Form: Hashable, Sendable {
        var canonicalization: Canonicalization
        /// How many canonical octets count; nil for all.
        var length: UInt64?
    }

    let canonicalization: Canonicalization
    /// How many canonical octets have been seen; those after the last that count need not be seen all.
    private(set) var octetCount: UInt64 = 0

    private var canonicalizer: BodyCanonicalizer
    private let hasher = SHA256Hasher()
    /// The hash of the whole body, once it has ended.
    private var digest: [UInt8] = []
    private var isWholeWanted = false
    /// The lengths that are wanted, in ascending order.
    private var lengths: [UInt64] = []
    /// The hashes of the first of them, as many as have been passed.
    private var digests: [[UInt8]] = []
    /// The next length to stop at.
    private var next = UInt64.max

    init(_ canonicalization: Canonicalization) {
        self.canonicalization = canonicalization
        canonicalizer = BodyCanonicalizer(canonicalization)
    }

    /// A hasher of one form alone.
    init(_ form: Form) {
        self.init(form.canonicalization)
        add(form.length)
    }

    /// Asks for the hash of so many octets, or of all; before the body begins.
    mutating func add(_ length: UInt64?) {
        guard let length else {
            isWholeWanted = true
            return
        }
        guard !lengths.contains(length) else { return }
        lengths.append(length)
        lengths.sort()
        next = lengths[0]
    }

    /// Whether the body goes on beyond the octets that count.
    var isBeyondLength: Bool { !isWholeWanted && octetCount > lengths.last ?? .max }

    mutating func update(_ chunk: UnsafeRawBufferPointer) {
        guard !isBeyondLength else { return }
        var canonicalizer = canonicalizer
        unsafe canonicalizer.update(chunk) { run in unsafe take(run) }
        self.canonicalizer = canonicalizer
    }

    mutating func finish() {
        guard digest.isEmpty else { return }
        var canonicalizer = canonicalizer
        unsafe canonicalizer.finish { run in unsafe take(run) }
        while next == octetCount, digests.count < lengths.count { pass() }
        digest = hasher.finish()
    }

    /// The hash of so many octets, or of all, once the body has ended; of a body that is shorter, the hash of all.
    func digest(_ length: UInt64?) -> [UInt8] {
        guard let length, let index = lengths.firstIndex(of: length), index < digests.count else { return digest }
        return digests[index]
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
        // Octets after the last that count are counted and not hashed.
        if isWholeWanted || digests.count < lengths.count {
            unsafe hasher.update(UnsafeRawBufferPointer(rebasing: run[start...]))
        }
        octetCount = end
    }

    /// Keeps the hash of the octets so far.
    private mutating func pass() {
        digests.append(hasher.copy().finish())
        next = digests.count < lengths.count ? lengths[digests.count] : .max
    }
}
