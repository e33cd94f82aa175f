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
