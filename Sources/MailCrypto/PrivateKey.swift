internal import COpenSSL

/// A private key that signs SHA-256 digests.
@safe public final class PrivateKey: @unchecked Sendable {
    // @unchecked: an EVP_PKEY is only read after its creation, and OpenSSL lets several threads read it at once.

    /// The public half.
    public let publicKey: PublicKey
    private let key: OpaquePointer

    /// Which algorithm the key belongs to.
    public var kind: PublicKey.Kind { publicKey.kind }
    /// The length of the modulus in bits; 256 for Ed25519.
    public var bits: Int { publicKey.bits }

    /// Takes ownership of a key; EVP_PKEY_free frees it.
    private init(takingOwnershipOf key: OpaquePointer) throws(CryptoError) {
        let kind: PublicKey.Kind? =
            switch unsafe EVP_PKEY_get_base_id(key) {
            case EVP_PKEY_RSA: .rsa
            case EVP_PKEY_ED25519: .ed25519
            default: nil
            }
        // EVP_PKEY_up_ref adds a reference, which the public key releases.
        guard let kind, unsafe EVP_PKEY_up_ref(key) == 1 else {
            unsafe EVP_PKEY_free(key)
            throw .unsupportedKey
        }
        let bits = kind == .rsa ? Int(unsafe EVP_PKEY_get_bits(key)) : 256
        unsafe self.key = key
        unsafe publicKey = PublicKey(takingOwnershipOf: key, kind: kind, bits: bits)
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// Reads a key in PEM: PKCS #8 for RSA and Ed25519, or PKCS #1 for RSA; an encrypted key is refused.
    public convenience init(pem: [UInt8]) throws(CryptoError) {
        let key: OpaquePointer? = unsafe pem.withUnsafeBytes { octets -> OpaquePointer? in
            // A read-only BIO over memory that outlives it; freed here.
            guard let bio = unsafe BIO_new_mem_buf(octets.baseAddress, Int32(clamping: octets.count)) else {
                return nil
            }
            defer { unsafe BIO_free(bio) }
            // Without a callback the last argument is the password: an empty password keeps OpenSSL from asking the
            // terminal.
            var password: CChar = 0
            return unsafe PEM_read_bio_PrivateKey(bio, nil, nil, &password)
        }
        guard let key = unsafe key else {
            ERR_clear_error()
            throw .noPrivateKey
        }
        try unsafe self.init(takingOwnershipOf: key)
    }

    /// Makes a new key; `bits` is the length of an RSA modulus and is ignored for Ed25519.
    public static func generate(_ kind: PublicKey.Kind, bits: Int) throws(CryptoError) -> PrivateKey {
        // The context is freed here; the key that it generates belongs to the caller.
        let context = unsafe EVP_PKEY_CTX_new_id(kind == .rsa ? EVP_PKEY_RSA : EVP_PKEY_ED25519, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe kind != .rsa || EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(clamping: bits)) == 1,
            unsafe EVP_PKEY_keygen(context, &key) == 1, let key = unsafe key
        else { throw .last("key generation") }
        return try unsafe PrivateKey(takingOwnershipOf: key)
    }

    /// Signs a SHA-256 digest: RSA with PKCS #1 v1.5, or Ed25519 over the digest (RFC 8463 § 3).
    public func sign(digest: [UInt8]) throws(CryptoError) -> [UInt8] {
        switch kind {
        case .rsa: try signRSA(digest)
        case .ed25519: try signEd25519(digest)
        }
    }

    private func signRSA(_ digest: [UInt8]) throws(CryptoError) -> [UInt8] {
        let context = unsafe EVP_PKEY_CTX_new(key, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        // On entry `length` is the size of the buffer; a signature is as long as the modulus.
        var signature = [UInt8](repeating: 0, count: (bits + 7) / 8)
        var length = signature.count
        guard unsafe EVP_PKEY_sign_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
            unsafe EVP_PKEY_CTX_set_signature_md(context, SHA256Hasher.algorithm) == 1,
            unsafe EVP_PKEY_sign(context, &signature, &length, digest, digest.count) == 1
        else { throw .last("RSA signature") }
        return Array(signature.prefix(length))
    }

    private func signEd25519(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 64)
        var length = signature.count
        guard unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
            unsafe EVP_DigestSign(context, &signature, &length, message, message.count) == 1
        else { throw .last("Ed25519 signature") }
        return Array(signature.prefix(length))
    }

    /// The octets for a key record: a SubjectPublicKeyInfo in DER for RSA, the bare key for Ed25519.
    public func publishedOctets() throws(CryptoError) -> [UInt8] {
        switch kind {
        case .rsa:
            // Given a null pointer, i2d_PUBKEY allocates the result; CRYPTO_free frees it.
            var der: UnsafeMutablePointer<UInt8>?
            let length = unsafe i2d_PUBKEY(key, &der)
            guard length > 0, let der = unsafe der else { throw .last("public key") }
            defer { unsafe CRYPTO_free(der, nil, 0) }
            return unsafe Array(UnsafeBufferPointer(start: der, count: Int(length)))
        case .ed25519:
            var octets = [UInt8](repeating: 0, count: 32)
            var length = octets.count
            guard unsafe EVP_PKEY_get_raw_public_key(key, &octets, &length) == 1 else { throw .last("public key") }
            return Array(octets.prefix(length))
        }
    }

    /// The key in PEM (PKCS #8), not encrypted.
    public func pem() throws(CryptoError) -> [UInt8] {
        let bio = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(bio) }
        guard unsafe PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil) == 1 else { throw .last("PEM") }
        // BIO_read copies as many octets out of the memory BIO as fit, and returns their number.
        var pem = [UInt8](repeating: 0, count: 16_384)
        let length = unsafe BIO_read(bio, &pem, Int32(clamping: pem.count))
        guard length > 0, Int(length) < pem.count else { throw .last("PEM") }
        return Array(pem.prefix(Int(length)))
    }
}
