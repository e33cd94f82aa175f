/// Base64 as mail writes it (RFC 4648 § 4).
public enum Base64 {
    private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    // The table's entries for characters that stand for no value.
    private static let foreign: UInt8 = 0xFF
    private static let skipped: UInt8 = 0xFE
    private static let padding: UInt8 = 0xFD

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: foreign, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(truncatingIfNeeded: value) }
        for space: UInt8 in [.space, .tab, .cr, .lf] { values[Int(space)] = skipped }
        values[Int(UInt8(ascii: "="))] = padding
        return values
    }()

    /// The octets that a base64 text encodes, or nil when the text is not base64.
    ///
    /// White space and folds between the characters are ignored (RFC 6376 § 3.2 allows them). The padding may be
    /// absent, and bits beyond the last octet may be set, as in other decoders; nothing may follow the padding.
    public static func decode(_ text: Octets) -> [UInt8]? {
        // Four characters make three octets, and a shorter group at the end makes fewer, so this capacity is always
        // enough. An array made without values looks its type up at run time, which takes longer than to copy a
        // signature.
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: text.count / 4 * 3 + 3) { room in
            guard let count = unsafe decode(text.span, to: room) else { return nil }
            return unsafe Array(UnsafeBufferPointer(rebasing: room[..<count]))
        }
    }

    /// Decodes `text`, and returns the number of octets.
    private static func decode(_ text: Span<UInt8>, to octets: UnsafeMutableBufferPointer<UInt8>) -> Int? {
        // A local reference: the loop then neither checks whether the table is initialized nor counts references to it.
        let table = Self.values
        let values = table.span
        var count = 0
        var index = 0
        var bits: UInt32 = 0
        var characters = 0
        var padding = 0
        while index < text.count {
            while characters == 0, padding == 0, text.count - index >= 4 {
                // One load, which is checked once and may begin at any octet.
                let four = unsafe UInt32(
                    littleEndian: text.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt32.self)
                )
                let first = values[Int(four & 0xFF)]
                let second = values[Int(four >> 8 & 0xFF)]
                let third = values[Int(four >> 16 & 0xFF)]
                let fourth = values[Int(four >> 24)]
                guard first | second | third | fourth < 64 else { break }
                unsafe octets[count] = first << 2 | second >> 4
                unsafe octets[count + 1] = second << 4 | third >> 2
                unsafe octets[count + 2] = third << 6 | fourth
                count += 3
                index += 4
            }
            guard index < text.count else { break }
            let value = values[Int(text[index])]
            index += 1
            if value < 64 {
                guard padding == 0 else { return nil }
                bits = bits << 6 | UInt32(value)
                characters += 1
                guard characters == 4 else { continue }
                characters = 0
                unsafe octets[count] = UInt8(truncatingIfNeeded: bits >> 16)
                unsafe octets[count + 1] = UInt8(truncatingIfNeeded: bits >> 8)
                unsafe octets[count + 2] = UInt8(truncatingIfNeeded: bits)
                count += 3
            } else if value == Self.padding {
                padding += 1
            } else if value == foreign {
                return nil
            }
        }
        guard characters != 1, padding == 0 || (characters > 0 && padding + characters == 4) else { return nil }
        if characters >= 2 {
            unsafe octets[count] = UInt8(truncatingIfNeeded: bits >> (characters == 2 ? 4 : 10))
            count += 1
        }
        if characters == 3 {
            unsafe octets[count] = UInt8(truncatingIfNeeded: bits >> 2)
            count += 1
        }
        return count
    }

    /// The base64 text of some octets, on one line and with padding.
    public static func encode(_ octets: [UInt8]) -> [UInt8] {
        var text = [UInt8]()
        text.reserveCapacity((octets.count + 2) / 3 * 4)
        for start in stride(from: 0, to: octets.count, by: 3) {
            let group = octets[start..<min(start + 3, octets.count)]
            var bits: UInt32 = 0
            for octet in group { bits = bits << 8 | UInt32(octet) }
            bits <<= 8 * UInt32(3 - group.count)
            for character in 0..<4 {
                text.append(
                    character > group.count
                        ? UInt8(ascii: "=") : alphabet[Int(bits >> (18 - 6 * UInt32(character)) & 0x3F)]
                )
            }
        }
        return text
    }
}
