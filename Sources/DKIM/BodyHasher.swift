internal import MailCrypto

/// The hash of one canonical form of a body, and of no more than its first octets where `l=` says so.
struct BodyHasher {
    /// Which hash it is: signatures that ask for the same share it.
    struct Form: Hashable, Sendable {
        var canonicalization: Canonicalization
        /// How many canonical octets count (RFC 6376 § 3.5, `l=`); nil for all.
        var length: UInt64?
    }

    let form: Form
    /// How many canonical octets have been seen; those after the last that count need not be seen all.
    private(set) var octetCount: UInt64 = 0
    /// The digest, once the body has ended.
    private(set) var digest: [UInt8] = []

    private var canonicalizer: BodyCanonicalizer
    private let hasher = SHA256Hasher()

    init(_ form: Form) {
        self.form = form
        canonicalizer = BodyCanonicalizer(form.canonicalization)
    }

    /// Whether the body goes on beyond the octets that count.
    var isBeyondLength: Bool { form.length.map { octetCount > $0 } ?? false }

    mutating func update(_ chunk: UnsafeRawBufferPointer) {
        guard !isBeyondLength else { return }
        var count = octetCount
        unsafe canonicalizer.update(chunk) { [form, hasher] run in
            unsafe Self.take(run, form, hasher, &count)
        }
        octetCount = count
    }

    mutating func finish() {
        guard digest.isEmpty else { return }
        var count = octetCount
        unsafe canonicalizer.finish { [form, hasher] run in
            unsafe Self.take(run, form, hasher, &count)
        }
        octetCount = count
        digest = hasher.finish()
    }

    private static func take(
        _ run: UnsafeRawBufferPointer,
        _ form: Form,
        _ hasher: SHA256Hasher,
        _ count: inout UInt64
    ) {
        let length = UInt64(run.count)
        if let limit = form.length {
            let left = limit > count ? limit - count : 0
            unsafe hasher.update(UnsafeRawBufferPointer(rebasing: run.prefix(Int(min(left, length)))))
        } else {
            unsafe hasher.update(run)
        }
        count += length
    }
}
