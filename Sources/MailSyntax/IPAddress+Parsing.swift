extension IPAddress {
    /// Reads dotted decimal, or the text forms of RFC 4291 § 2.2; nil for anything else.
    public init?(_ text: String) {
        self.init(Octets(text))
    }

    /// Reads dotted decimal, or the text forms of RFC 4291 § 2.2; nil for anything else.
    ///
    /// Octet by octet, because an SPF record can hold thousands of addresses.
    public init?(_ text: Octets) {
        if let address = IPv4Address(text.span) {
            self = .v4(address)
        } else if let address = IPv6Address(text.span) {
            self = .v6(address)
        } else {
            return nil
        }
    }
}

extension IPv4Address {
    /// Reads dotted decimal: four numbers up to 255.
    fileprivate init?(_ text: Span<UInt8>) {
        var (value, number): (UInt32, UInt32) = (0, 0)
        var (digitCount, dotCount) = (0, 0)
        for index in text.indices {
            let octet = text[index]
            if octet.isDigit {
                // Some readers take a number with a leading zero for octal.
                guard digitCount == 0 || number > 0 else { return nil }
                number = number &* 10 &+ UInt32(octet &- 0x30)
                digitCount += 1
                guard number <= 255 else { return nil }
            } else {
                guard octet == UInt8(ascii: "."), digitCount > 0, dotCount < 3 else { return nil }
                value = value << 8 | number
                dotCount += 1
                (number, digitCount) = (0, 0)
            }
        }
        guard dotCount == 3, digitCount > 0 else { return nil }
        self.init(value << 8 | number)
    }
}

extension IPv6Address {
    /// Reads eight groups of up to four hexadecimal digits between colons (RFC 4291 § 2.2).
    ///
    /// One `::` may stand for groups of zeros, and dotted decimal for the last two groups.
    fileprivate init?(_ text: Span<UInt8>) {
        var value: UInt128 = 0
        var groupCount = 0
        /// The number of groups before the `::`.
        var gap: Int?
        var index = 0
        if text.count >= 2, text[0] == UInt8(ascii: ":"), text[1] == UInt8(ascii: ":") {
            gap = 0
            index = 2
        }
        while index < text.count {
            guard groupCount < 8 else { return nil }
            let start = index
            var group: UInt128 = 0
            while index < text.count, index - start < 4, let digit = text[index].hexValue {
                group = group << 4 | UInt128(digit)
                index += 1
            }
            if index < text.count, text[index] == UInt8(ascii: ".") {
                guard groupCount <= 6, let last = IPv4Address(text.extracting(start..<text.count)) else { return nil }
                value = value << 32 | UInt128(last.value)
                groupCount += 2
                break
            }
            guard index > start else { return nil }
            value = value << 16 | group
            groupCount += 1
            guard index < text.count else { break }
            guard text[index] == UInt8(ascii: ":"), index + 1 < text.count else { return nil }
            index += 1
            if text[index] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groupCount
                index += 1
            }
        }
        // A `::` stands for at least one group.
        guard gap == nil ? groupCount == 8 : groupCount < 8 else { return nil }
        if let gap {
            let bits = 16 * (groupCount - gap)
            let tail = value & ((1 << bits) - 1)
            value = (value >> bits) << (16 * (8 - gap)) | tail
        }
        self.init(high: UInt64(truncatingIfNeeded: value >> 64), low: UInt64(truncatingIfNeeded: value))
    }
}
