internal import COpenSSL
internal import CSodium
internal import Synchronization

/// A public key that verifies signatures over a SHA-256 digest.
///
/// A key is parsed once and shared: verification only reads it, and has a context of its own.
@safe public final class PublicKey: @unchecked Sendable {
    // @unchecked: an EVP_PKEY is only read after its creation, and OpenSSL lets several threads read it at once.

    /// Which algorithm the key belongs to.
    public enum Kind: Hashable, Sendable {
        /// RSA with PKCS #1 v1.5 padding (RFC 8017 § 8.2).
        case rsa
        /// Ed25519 (RFC 8032), over the digest (RFC 8463 § 3).
        case ed25519
    }

    /// Which algorithm the key belongs to.
    public let kind: Kind
    /// The length of the modulus in bits; 256 for Ed25519.
    public let bits: Int
    private let key: OpaquePointer
    /// The octets of an Ed25519 key; empty for an RSA key.
    private let edwardsPoint: [UInt8]
    /// A context that no thread is using: setting one up costs a tenth of a verification.
    private let idle = Mutex<RSAVerification?>(nil)

    /// Takes ownership of a key; EVP_PKEY_free frees it.
    init(takingOwnershipOf key: OpaquePointer, kind: Kind, bits: Int, exponentBits: Int = 17) {
        unsafe self.key = key
        self.kind = kind
        self.bits = bits
        verificationCost = Self.verificationCost(kind, bits: bits, exponentBits: exponentBits)
        edwardsPoint = kind == .ed25519 ? unsafe Self.rawPublicKey(key) : []
    }

    private static func rawPublicKey(_ key: OpaquePointer) -> [UInt8] {
        // On entry `length` is the size of the buffer.
        var octets = [UInt8](repeating: 0, count: ed25519Length)
        var length = octets.count
        guard unsafe EVP_PKEY_get_raw_public_key(key, &octets, &length) == 1 else { return [] }
        return Array(octets.prefix(length))
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// Reads an RSA key: a SubjectPublicKeyInfo or a bare RSAPublicKey, in DER.
    ///
    /// - Parameters:
    ///   - der: the octets of the key.
    ///   - modulusBits: the lengths of the modulus that may reach OpenSSL.
    public convenience init(rsa der: ArraySlice<UInt8>, modulusBits: ClosedRange<Int>) throws(CryptoError) {
        guard let form = RSAPublicKeyForm(der) else { throw .malformedKey("not an RSA public key in DER") }
        guard modulusBits.contains(form.bits) else { throw .modulusSize(form.bits) }
        guard form.hasUsableExponent else { throw .exponent }
        // d2i_PublicKey reads the inner key a hundred times faster than d2i_PUBKEY reads the outer one. It advances the
        // pointer that it is given, and returns null or a key that the caller frees.
        let key: OpaquePointer? = unsafe Array(form.encoded).withUnsafeBufferPointer { octets in
            var cursor = octets.baseAddress
            return unsafe d2i_PublicKey(EVP_PKEY_RSA, nil, &cursor, octets.count)
        }
        guard let key = unsafe key else { throw .last("RSA key") }
        unsafe self.init(takingOwnershipOf: key, kind: .rsa, bits: form.bits, exponentBits: form.exponentBits)
    }

    /// Reads an Ed25519 key of 32 octets.
    public convenience init(ed25519 octets: ArraySlice<UInt8>) throws(CryptoError) {
        guard octets.count == Self.ed25519Length else { throw .malformedKey("an Ed25519 key has 32 octets") }
        // Copies the octets; the caller frees the result, which is null when they are not a key.
        let key: OpaquePointer? = unsafe Array(octets).withUnsafeBufferPointer {
            unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, $0.baseAddress, $0.count)
        }
        guard let key = unsafe key else { throw .last("Ed25519 key") }
        unsafe self.init(takingOwnershipOf: key, kind: .ed25519, bits: 256)
    }

    /// The approximate cost of verifying a signature; 1 is an RSA key of 2,048 bits with the usual exponent.
    public let verificationCost: Int

    /// RSA takes time in proportion to the square of the modulus and to the length of the exponent.
    private static func verificationCost(_ kind: Kind, bits: Int, exponentBits: Int) -> Int {
        guard kind == .rsa else { return 2 }
        let modulus = max(1, bits * bits / (2048 * 2048))
        return exponentBits > 17 ? 3 * modulus : modulus
    }

    /// Whether `signature` was made over a SHA-256 digest by the private half of this key.
    public func verifies(_ signature: [UInt8], digest: [UInt8]) -> Bool {
        switch kind {
        case .rsa: verifiesRSA(signature, digest: digest)
        case .ed25519: verifiesEd25519(signature, message: digest)
        }
    }

    private func verifiesRSA(_ signature: [UInt8], digest: [UInt8]) -> Bool {
        defer { ERR_clear_error() }
        guard let verification = unsafe idle.withLock({ $0.take() }) ?? RSAVerification(key) else { return false }
        defer { idle.withLock { $0 = verification } }
        return verification.verifies(signature, digest: digest)
    }

    /// RFC 8463 § 3: PureEdDSA over the digest.
    ///
    /// libsodium takes half of OpenSSL's time, and refuses keys of small order, for which anybody can sign.
    private func verifiesEd25519(_ signature: [UInt8], message: [UInt8]) -> Bool {
        // libsodium reads a signature and a key of these lengths.
        guard Self.isSodiumReady, signature.count == crypto_sign_ed25519_bytes(),
            edwardsPoint.count == Self.ed25519Length
        else { return false }
        return unsafe crypto_sign_ed25519_verify_detached(signature, message, UInt64(message.count), edwardsPoint) == 0
    }

    private static let ed25519Length = crypto_sign_ed25519_publickeybytes()
    // sodium_init may be called more than once, by any thread; it returns a negative number on failure.
    private static let isSodiumReady = sodium_init() >= 0

    /// The digest over which an RSA signature was made, for any message; nil when the key does not fit.
    ///
    /// One operation with the key finds the signed digest; guessing would need one for each guess.
    public func signedDigest(in signature: [UInt8]) -> [UInt8]? {
        defer { ERR_clear_error() }
        guard kind == .rsa, let context = unsafe EVP_PKEY_CTX_new(key, nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_verify_recover_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
            unsafe EVP_PKEY_CTX_set_signature_md(context, SHA256Hasher.algorithm) == 1
        else { return nil }
        // The output is never longer than the modulus; on entry `length` is the size of the buffer.
        var digest = [UInt8](repeating: 0, count: bits / 8 + 1)
        var length = digest.count
        guard unsafe EVP_PKEY_verify_recover(context, &digest, &length, signature, signature.count) == 1,
            length == SHA256Hasher.digestLength
        else { return nil }
        return Array(digest.prefix(length))
    }

    /// Whether both are the same key.
    public func isEqual(to other: PublicKey) -> Bool {
        unsafe EVP_PKEY_eq(key, other.key) == 1
    }
}

/// A context that verifies RSA signatures over SHA-256 digests with one key.
@safe private final class RSAVerification: @unchecked Sendable {
    // @unchecked: a thread takes the context out of its key, is its only user, and puts it back.

    private let context: OpaquePointer

    init?(_ key: OpaquePointer) {
        // EVP_PKEY_CTX_new takes its own reference to the key. Once set up, the context verifies any number of
        // signatures.
        guard let context = unsafe EVP_PKEY_CTX_new(key, nil) else { return nil }
        guard unsafe EVP_PKEY_verify_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
            unsafe EVP_PKEY_CTX_set_signature_md(context, SHA256Hasher.algorithm) == 1
        else {
            unsafe EVP_PKEY_CTX_free(context)
            return nil
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_PKEY_CTX_free(context) }

    func verifies(_ signature: [UInt8], digest: [UInt8]) -> Bool {
        unsafe EVP_PKEY_verify(context, signature, signature.count, digest, digest.count) == 1
    }
}
