internal import COpenSSL
internal import CSodium
internal import Synchronization

/// A public key that verifies signatures over a SHA-256 digest.
///
/// Parsed once and shared: verification only reads the key, and has a context of its own.
@safe public final class PublicKey: @unchecked Sendable {
    // @unchecked: an EVP_PKEY is only read after it was made, and OpenSSL lets several threads do that at once.

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
    /// The octets of an Ed25519 key; none of an RSA key.
    private let edwardsPoint: [UInt8]
    /// What nobody is verifying with: setting up a context costs a tenth of what it is for.
    private let idle = Mutex<RSAVerification?>(nil)

    /// Takes over a key that EVP_PKEY_free will free.
    init(takingOwnershipOf key: OpaquePointer, kind: Kind, bits: Int, exponentBits: Int = 17) {
        unsafe self.key = key
        self.kind = kind
        self.bits = bits
        verificationCost = Self.verificationCost(kind, bits: bits, exponentBits: exponentBits)
        edwardsPoint = kind == .ed25519 ? unsafe Self.rawPublicKey(key) : []
    }

    private static func rawPublicKey(_ key: OpaquePointer) -> [UInt8] {
        // On entry `length` says how much room there is.
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
    ///   - modulusBits: the lengths of the modulus that are let through to OpenSSL.
    public convenience init(rsa der: ArraySlice<UInt8>, modulusBits: ClosedRange<Int>) throws(CryptoError) {
        guard let form = RSAPublicKeyForm(der) else { throw .malformedKey("not an RSA public key in DER") }
        guard modulusBits.contains(form.bits) else { throw .modulusSize(form.bits) }
        guard form.hasUsableExponent else { throw .exponent }
        // d2i_PublicKey reads the inner key a hundred times faster than d2i_PUBKEY the outer one. It advances the
        // pointer it is given, returns a key that the caller frees, or null.
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
        // Copies the octets; the result is freed by the caller, null when they are not a key.
        let key: OpaquePointer? = unsafe Array(octets).withUnsafeBufferPointer {
            unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, $0.baseAddress, $0.count)
        }
        guard let key = unsafe key else { throw .last("Ed25519 key") }
        unsafe self.init(takingOwnershipOf: key, kind: .ed25519, bits: 256)
    }

    /// About how much it costs to verify a signature: 1 for an RSA key of 2,048 bits with the usual exponent.
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
    /// libsodium needs half of OpenSSL's time, and takes no key of small order, for which anybody can sign.
    private func verifiesEd25519(_ signature: [UInt8], message: [UInt8]) -> Bool {
        // It reads as many octets of signature and key as there should be.
        guard Self.isSodiumReady, signature.count == crypto_sign_ed25519_bytes(),
            edwardsPoint.count == Self.ed25519Length
        else { return false }
        return unsafe crypto_sign_ed25519_verify_detached(signature, message, UInt64(message.count), edwardsPoint) == 0
    }

    private static let ed25519Length = crypto_sign_ed25519_publickeybytes()
    // sodium_init may be called more than once, by any thread; it is negative if it failed.
    private static let isSodiumReady = sodium_init() >= 0

    /// The digest that an RSA signature was made over, whatever message it belongs to; nil when the key does not fit.
    ///
    /// Finding out what was signed needs one operation with the key instead of one for each guess.
    public func signedDigest(in signature: [UInt8]) -> [UInt8]? {
        defer { ERR_clear_error() }
        guard kind == .rsa, let context = unsafe EVP_PKEY_CTX_new(key, nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_verify_recover_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
            unsafe EVP_PKEY_CTX_set_signature_md(context, SHA256Hasher.algorithm) == 1
        else { return nil }
        // The output is never longer than the modulus; on entry `length` says how much room there is.
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
    // @unchecked: who takes it out of its key is the only one to use it until he puts it back.

    private let context: OpaquePointer

    init?(_ key: OpaquePointer) {
        // EVP_PKEY_CTX_new takes its own reference on the key. Once set up, the context verifies any number of signatures.
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
