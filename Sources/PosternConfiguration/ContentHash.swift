/// A number by which configurations are told apart; not for what somebody would want to forge.
struct ContentHash {
    // FNV-1a with 64 bits: the published offset and prime.
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Takes the text of a file.
    mutating func add(_ text: String) {
        for octet in text.utf8 { take(octet) }
        // No octet of UTF-8: what moves from the end of a file to the beginning of the next changes the number.
        take(0xFF)
    }

    private mutating func take(_ octet: UInt8) {
        state = (state ^ UInt64(octet)) &* 0x0000_0100_0000_01B3
    }

    /// The number: 48 bits, which a metric's floating point holds.
    var value: Int { Int(truncatingIfNeeded: (state ^ state >> 48) & 0xFFFF_FFFF_FFFF) }
}
