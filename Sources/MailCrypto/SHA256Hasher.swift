internal import COpenSSL

/// A running SHA-256 hash (FIPS 180-4).
///
/// An instance belongs to one message and one thread at a time.
@safe public final class SHA256Hasher {
    /// The length of a digest in octets.
    public static let digestLength = 32

    /// The algorithm, looked up once and never freed.
    ///
    /// A fetch costs more than a small hash. An EVP_MD is immutable after the fetch, and any thread may use it.
    nonisolated(unsafe) static let algorithm: OpaquePointer? = unsafe EVP_MD_fetch(nil, "SHA256", nil)

    // EVP_MD_CTX_new returns a context that EVP_MD_CTX_free frees, or null when memory is short; free accepts null.
    private let context: OpaquePointer?

    /// A hasher that has hashed nothing yet.
    public init() {
        unsafe context = EVP_MD_CTX_new()
        unsafe EVP_DigestInit_ex(context, Self.algorithm, nil)
    }

    private init(copying other: SHA256Hasher) {
        unsafe context = EVP_MD_CTX_new()
        unsafe EVP_MD_CTX_copy_ex(context, other.context)
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Another hasher that has hashed the same octets.
    public func copy() -> SHA256Hasher { SHA256Hasher(copying: self) }

    /// Hashes octets without copying them.
    public func update(_ octets: UnsafeRawBufferPointer) {
        guard let start = octets.baseAddress else { return }
        unsafe EVP_DigestUpdate(context, start, octets.count)
    }

    /// Hashes octets.
    public func update(_ octets: [UInt8]) {
        unsafe octets.withUnsafeBytes { unsafe update($0) }
    }

    /// The digest of all octets hashed so far; the hasher cannot be used afterwards.
    public func finish() -> [UInt8] {
        unsafe Self.octets { digest in
            // EVP_DigestFinal_ex writes 32 octets for SHA-256.
            unsafe EVP_DigestFinal_ex(context, digest, nil)
        }
    }

    /// The digest of some octets.
    public static func digest(_ octets: UnsafeRawBufferPointer) -> [UInt8] {
        unsafe Self.octets { digest in
            // EVP_Digest writes 32 octets for SHA-256.
            unsafe EVP_Digest(octets.baseAddress, octets.count, digest, nil, algorithm, nil)
        }
    }

    /// The digest that `write` puts into a buffer; empty when `write` does not return 1.
    ///
    /// The buffer is on the stack: an array made without values looks its type up at run time, which takes longer than
    /// to copy 32 octets.
    private static func octets(_ write: (UnsafeMutablePointer<UInt8>?) -> Int32) -> [UInt8] {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: digestLength) { room in
            unsafe write(room.baseAddress) == 1 ? Array(UnsafeBufferPointer(room)) : []
        }
    }

    /// The digest of some octets.
    public static func digest(_ octets: [UInt8]) -> [UInt8] {
        unsafe octets.withUnsafeBytes { unsafe digest($0) }
    }
}
