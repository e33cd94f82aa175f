import MailCrypto
import Testing

@Suite("Keys")
struct KeyTests {
    static let digest = SHA256Hasher.digest([0x61])

    @Test("A key survives PEM, and its signatures verify", arguments: [PublicKey.Kind.rsa, .ed25519])
    func roundTrip(_ kind: PublicKey.Kind) throws {
        let made = try PrivateKey.generate(kind, bits: 1024)
        let key = try PrivateKey(pem: made.pem())
        #expect(key.kind == kind)
        #expect(key.publicKey.isEqual(to: made.publicKey))
        let signature = try key.sign(digest: Self.digest)
        let octets = try key.publishedOctets()
        let published =
            switch kind {
            case .rsa: try PublicKey(rsa: octets[...], modulusBits: 1024...8192)
            case .ed25519: try PublicKey(ed25519: octets[...])
            }
        #expect(published.verifies(signature, digest: Self.digest))
        #expect(published.signedDigest(in: signature) == (kind == .rsa ? Self.digest : nil))
        #expect(!published.verifies(signature, digest: SHA256Hasher.digest([])))
        for index in signature.indices {
            var wrong = signature
            wrong[index] ^= 1
            #expect(!published.verifies(wrong, digest: Self.digest))
        }
        #expect(!published.verifies([], digest: Self.digest))
        #expect(!published.verifies(signature + [0], digest: Self.digest))
        #expect(!published.verifies(signature.dropLast(), digest: Self.digest))
        // What failed leaves nothing behind.
        #expect(published.verifies(signature, digest: Self.digest))
    }

    @Test("RFC 8017 appendix A.1.1: an RSAPublicKey may stand alone")
    func bareKey() throws {
        let key = try PrivateKey.generate(.rsa, bits: 1024)
        // A SubjectPublicKeyInfo of a 1024-bit key has 22 octets before the RSAPublicKey.
        let bare = try key.publishedOctets().dropFirst(22)
        #expect(try PublicKey(rsa: bare, modulusBits: 1024...8192).isEqual(to: key.publicKey))
    }

    @Test("Octets that are no key are refused", arguments: 0..<162)
    func truncated(_ length: Int) throws {
        let octets = Self.rsaKey
        #expect(throws: CryptoError.self) { try PublicKey(rsa: octets.prefix(length), modulusBits: 1024...8192) }
    }

    @Test("Octets that are changed never trap") func changed() {
        for index in Self.rsaKey.indices {
            for change: UInt8 in [0x01, 0x80, 0xFF] {
                var octets = Self.rsaKey
                octets[index] ^= change
                let key = try? PublicKey(rsa: octets[...], modulusBits: 1024...8192)
                #expect(key?.verifies([UInt8](repeating: 1, count: 128), digest: Self.digest) != true)
            }
        }
    }

    static let rsaKey: [UInt8] = (try? PrivateKey.generate(.rsa, bits: 1024).publishedOctets()) ?? []

    @Test("Bounds of RSA keys")
    func bounds() throws {
        #expect(throws: CryptoError.modulusSize(1024)) {
            try PublicKey(rsa: Self.rsaKey[...], modulusBits: 2048...8192)
        }
        // An even exponent, and the exponent one.
        for exponent: [UInt8] in [[0x01, 0x00, 0x00], [0x00, 0x00, 0x01]] {
            let key = Self.rsaKey.dropLast(3) + exponent
            #expect(throws: CryptoError.exponent) { try PublicKey(rsa: key, modulusBits: 1024...8192) }
        }
    }

    @Test(
        "What verifying costs grows with the exponent, so its length is bounded",
        arguments: [
            ([0x03], true), ([0x01, 0x00, 0x01], true), ([0x00, 0xFF, 0xFF, 0xFF, 0xFF], true),
            ([0x01, 0x00, 0x00, 0x00, 0x01], false), ([0x7F] + [UInt8](repeating: 0xFF, count: 7), false),
        ] as [([UInt8], Bool)]
    )
    func exponents(_ exponent: [UInt8], _ isUsable: Bool) {
        let modulus: [UInt8] = [0x00] + [UInt8](repeating: 0xC5, count: 128)
        let numbers = [0x02, 0x81, UInt8(modulus.count)] + modulus + [0x02, UInt8(exponent.count)] + exponent
        let der = [0x30, 0x81, UInt8(numbers.count)] + numbers
        guard isUsable else {
            #expect(throws: CryptoError.exponent) { try PublicKey(rsa: der[...], modulusBits: 1024...8192) }
            return
        }
        #expect(throws: Never.self) { try PublicKey(rsa: der[...], modulusBits: 1024...8192) }
    }

    @Test("RFC 8463 § 4: an Ed25519 key has 32 octets", arguments: [0, 31, 33, 44])
    func ed25519Length(_ length: Int) {
        #expect(throws: CryptoError.self) { try PublicKey(ed25519: [UInt8](repeating: 9, count: length)[...]) }
    }

    @Test("PEM that is no key is refused without a question at the terminal", arguments: ["", "x", encrypted])
    func pem(_ text: String) {
        #expect(throws: CryptoError.self) { try PrivateKey(pem: [UInt8](text.utf8)) }
    }

    /// An Ed25519 key made for this test and encrypted with a password.
    static let encrypted = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh3nb6XnwobNAICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEE7gKqHx2mXHjaJ/vyo/1+gEQOyf
        8PEYTaI91tyfwF7FBdaDlx1/RBcHGFYJXJvy9UXMuVk9IAAJrLNJP0oR7wHyjsQu
        t4Up/VvTcxV1/P4EZ4k=
        -----END ENCRYPTED PRIVATE KEY-----
        """
}
