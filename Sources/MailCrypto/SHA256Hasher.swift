internal import COpenSSL

/// A running SHA-256 (FIPS 180-4).
///
/// An instance belongs to one message and one thread at a time.
@safe public final class SHA256Hasher {
    /// The length of a digest in octets.
    public static let digestLength = 32

    /// The algorithm, looked up once and never freed.
    ///
    /// A fetch costs more than a small hash. An EVP_MD is immutable after the fetch and may be used by any thread.
    nonisolated(unsafe) static let algorithm: OpaquePointer? = unsafe EVP_MD_fetch(nil, "SHA256", nil)

    // EVP_MD_CTX_new returns memory that EVP_MD_CTX_free takes, or null without memory; free accepts null.
    private let context: OpaquePointer?

    /// A hasher that has seen nothing.
    public init() {
        unsafe context = EVP_MD_CTX_new()
        unsafe EVP_DigestInit_ex(context, Self.algorithm, nil)
    }

    private init(copying other: SHA256Hasher) {
        unsafe context = EVP_MD_CTX_new()
        unsafe EVP_MD_CTX_copy_ex(context, other.context)
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Another hasher that has seen the same.
    public func copy() -> SHA256Hasher { SHA256Hasher(copying: self) }

    /// Takes octets where they are.
    public func update(_ octets: UnsafeRawBufferPointer) {
        guard let start = octets.baseAddress else { return }
        unsafe EVP_DigestUpdate(context, start, octets.count)
    }

    /// Takes octets.
    public func update(_ octets: [UInt8]) {
        unsafe octets.withUnsafeBytes { unsafe update($0) }
    }

    /// The digest of everything taken; the hasher is of no use afterwards.
    public func finish() -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: Self.digestLength) { buffer, count in
            // EVP_DigestFinal_ex writes 32 octets for SHA-256.
            count = unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, nil) == 1 ? Self.digestLength : 0
        }
    }

    /// The digest of some octets.
    public static func digest(_ octets: UnsafeRawBufferPointer) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: digestLength) { buffer, count in
            // EVP_Digest writes 32 octets for SHA-256.
            let done = unsafe EVP_Digest(octets.baseAddress, octets.count, buffer.baseAddress, nil, algorithm, nil)
            count = done == 1 ? digestLength : 0
        }
    }

    /// The digest of some octets.
    public static func digest(_ octets: [UInt8]) -> [UInt8] {
        unsafe octets.withUnsafeBytes { unsafe digest($0) }
    }
}
