import MailCrypto
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    /// FIPS 180-4: the empty message, and "abc".
    @Test func digests() {
        #expect(hexadecimal(SHA256Hasher.digest([])).hasPrefix("e3b0c44298fc1c149afbf4c8996fb924"))
        #expect(hexadecimal(SHA256Hasher.digest([0x61, 0x62, 0x63])).hasPrefix("ba7816bf8f01cfea414140de5dae2223"))
    }

    @Test("A copy goes on from where the original was") func copies() {
        let hasher = SHA256Hasher()
        hasher.update([0x61])
        let copy = hasher.copy()
        hasher.update([0x62, 0x63])
        copy.update([0x62])
        #expect(hasher.finish() == SHA256Hasher.digest([0x61, 0x62, 0x63]))
        #expect(copy.finish() == SHA256Hasher.digest([0x61, 0x62]))
    }

    private func hexadecimal(_ octets: [UInt8]) -> String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

@Suite("Ed25519")
struct Ed25519Tests {
    /// RFC 8032 § 7.1, test 2: a key, and its signature of the octet 0x72.
    static let key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    static let point = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    static let scalar = "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    /// The neutral element of the curve, which is also a key that any message verifies with, if it is let through.
    static let neutral = "01" + String(repeating: "0", count: 62)
    static let zero = String(repeating: "0", count: 64)

    @Test(
        arguments: [
            (key, point + scalar, true, "§ 7.1, test 2"),
            // The same scalar and the order of the group: it fits the equation, and would be a second signature.
            (
                key, point + "f52db7415978abc61b2c2eb6aeebfca0387b2eaeb4302aeeb00d291612bb0c10", false,
                "§ 5.1.7: the scalar must be less than the order"
            ),
            (key, zero + scalar, false, "another point"),
            (key, point + zero, false, "another scalar"),
            (neutral, neutral + zero, false, "a key of small order"),
        ]
    )
    func verification(_ key: String, _ signature: String, _ isRight: Bool, _ section: Comment) throws {
        let key = try PublicKey(ed25519: octets(key)[...])
        #expect(key.verifies(octets(signature), digest: [0x72]) == isRight, section)
    }

    private func octets(_ hexadecimal: String) -> [UInt8] {
        var rest = hexadecimal[...]
        var octets: [UInt8] = []
        while let octet = UInt8(rest.prefix(2), radix: 16) {
            octets.append(octet)
            rest = rest.dropFirst(2)
        }
        return octets
    }
}
