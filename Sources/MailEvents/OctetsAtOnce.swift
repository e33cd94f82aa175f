/// What eight octets at once say of all octets of a text.
struct OctetsAtOnce {
    /// The highest bit of an octet is set where some octet is not printable US-ASCII, a quotation mark or a reverse
    /// solidus.
    private var special: UInt64 = 0
    /// The same for a space and a dot.
    private var separator: UInt64 = 0

    /// Whether a JSON text may have all octets as they are.
    var isPlain: Bool { special & 0x8080_8080_8080_8080 == 0 }

    /// Whether a label of only these octets is written as it is (RFC 1035 § 5.1).
    var isPlainLabel: Bool { (special | separator) & 0x8080_8080_8080_8080 == 0 }

    /// Takes eight more octets.
    ///
    /// In each step the highest bit of an octet says what holds of the octet, or of a lower one. An octet of US-ASCII has
    /// none of its own, so that only a difference below 0 has one; any other octet is special.
    @inline(__always)
    mutating func add(_ octets: UInt64) {
        let isBelowSpace = octets &- 0x2020_2020_2020_2020
        let isAboveTilde = (octets &+ 0x0101_0101_0101_0101) | octets
        let isQuote = (octets ^ 0x2222_2222_2222_2222) &- 0x0101_0101_0101_0101
        let isSolidus = (octets ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
        special |= isBelowSpace | isAboveTilde | isQuote | isSolidus
        let isSpace = (octets ^ 0x2020_2020_2020_2020) &- 0x0101_0101_0101_0101
        let isDot = (octets ^ 0x2E2E_2E2E_2E2E_2E2E) &- 0x0101_0101_0101_0101
        separator |= isSpace | isDot
    }
}

extension UnsafeMutablePointer<UInt8> {
    /// Writes an octet, for which there is room, and goes on.
    @inline(__always)
    mutating func put(_ octet: UInt8) {
        unsafe pointee = octet
        unsafe self += 1
    }

    /// Writes octets, for which there is room, and says of what kind they are.
    ///
    /// Most texts are so short that a call of memcpy would cost as much again.
    @inline(__always) @discardableResult
    func copy(_ source: UnsafePointer<UInt8>, _ count: Int) -> OctetsAtOnce {
        var found = OctetsAtOnce()
        guard count >= 8 else {
            if count > 0 { unsafe found.add(copyFew(source, count)) }
            return found
        }
        let (source, target) = unsafe (UnsafeRawPointer(source), UnsafeMutableRawPointer(self))
        var place = 0
        while place < count {
            // The last eight may overlap with those before them.
            let offset = min(place, count &- 8)
            let octets = unsafe source.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            unsafe target.storeBytes(of: octets, toByteOffset: offset, as: UInt64.self)
            found.add(octets)
            place &+= 8
        }
        return found
    }

    /// Writes one to seven octets, and returns them with others like them.
    @inline(__always)
    private func copyFew(_ source: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        guard count < 4 else {
            let (source, target) = unsafe (UnsafeRawPointer(source), UnsafeMutableRawPointer(self))
            let first = unsafe source.loadUnaligned(as: UInt32.self)
            let last = unsafe source.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
            unsafe target.storeBytes(of: first, as: UInt32.self)
            unsafe target.storeBytes(of: last, toByteOffset: count - 4, as: UInt32.self)
            return UInt64(first) << 32 | UInt64(last)
        }
        let (first, middle, last) = unsafe (source[0], source[count / 2], source[count - 1])
        unsafe self[0] = first
        unsafe self[count / 2] = middle
        unsafe self[count - 1] = last
        let all = UInt64(first) << 16 | UInt64(middle) << 8 | UInt64(last)
        return all << 40 | all << 16 | UInt64(first) << 8 | UInt64(last)
    }
}
