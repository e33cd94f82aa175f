internal import Glibc

/// An IPv4 address.
public struct IPv4Address: Hashable, Sendable {
    /// The address as a number, the first octet in the highest bits.
    public let value: UInt32

    /// The address with this number.
    public init(_ value: UInt32) {
        self.value = value
    }
}

/// An IPv6 address.
public struct IPv6Address: Hashable, Sendable {
    /// The first eight octets as a number.
    public let high: UInt64
    /// The last eight octets as a number.
    public let low: UInt64

    /// The address with these halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The IPv4 address in an IPv4-mapped address, `::ffff:0:0/96` (RFC 4291 § 2.5.5.2); nil for any other address.
    public var mappedIPv4: IPv4Address? {
        high == 0 && low >> 32 == 0xFFFF ? IPv4Address(UInt32(truncatingIfNeeded: low)) : nil
    }

    /// The 32 nibbles, first to last.
    public var nibbles: [UInt8] {
        [high, low].flatMap { half in
            stride(from: 60, through: 0, by: -4).map { UInt8(truncatingIfNeeded: half >> $0) & 0xF }
        }
    }
}

/// An address of either family.
public enum IPAddress: Hashable, Sendable {
    /// IPv4.
    case v4(IPv4Address)
    /// IPv6.
    case v6(IPv6Address)

    /// The address; an IPv4-mapped address becomes IPv4, because RFC 7208 § 5 compares it as such.
    public var unmapped: IPAddress {
        if case .v6(let address) = self, let mapped = address.mappedIPv4 { .v4(mapped) } else { self }
    }

    /// 32 or 128.
    public var bitWidth: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// The name below `in-addr.arpa` or `ip6.arpa` that has the address's PTR records (RFC 1035 § 3.5, RFC 3596 § 2.5).
    public var reverseName: DomainName {
        // Both forms are far below the length limit of a name; a length octet precedes each label.
        var wire = [UInt8]()
        switch self {
        case .v4(let address):
            wire.reserveCapacity(29)
            for shift: UInt32 in stride(from: 0, through: 24, by: 8) {
                let octet = UInt8(truncatingIfNeeded: address.value >> shift)
                wire.append(octet < 10 ? 1 : octet < 100 ? 2 : 3)
                if octet >= 100 { wire.append(0x30 + octet / 100) }
                if octet >= 10 { wire.append(0x30 + octet / 10 % 10) }
                wire.append(0x30 + octet % 10)
            }
            wire.append("\u{07}in-addr\u{04}arpa")
        case .v6(let address):
            wire.reserveCapacity(73)
            for half in [address.low, address.high] {
                for shift: UInt64 in stride(from: 0, through: 60, by: 4) {
                    let nibble = UInt8(truncatingIfNeeded: half >> shift) & 0xF
                    wire.append(1)
                    wire.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
                }
            }
            wire.append("\u{03}ip6\u{04}arpa")
        }
        return DomainName(uncheckedWire: wire)
    }
}

extension IPv4Address: CustomStringConvertible {
    /// Dotted decimal.
    public var description: String {
        // Four numbers of up to three digits, and three dots.
        unsafe String(unsafeUninitializedCapacity: 15) { text in
            var count = 0
            func append(_ octet: UInt32) {
                unsafe text[count] = UInt8(truncatingIfNeeded: octet)
                count += 1
            }
            for shift in stride(from: 24, through: 0, by: -8) {
                let number = (value >> shift) & 0xFF
                if number >= 100 { append(0x30 + number / 100) }
                if number >= 10 { append(0x30 + number / 10 % 10) }
                append(0x30 + number % 10)
                if shift > 0 { append(UInt32(UInt8(ascii: "."))) }
            }
            return count
        }
    }
}

extension IPv6Address: CustomStringConvertible {
    /// The canonical text of RFC 5952.
    public var description: String {
        var address = in6_addr()
        unsafe withUnsafeMutableBytes(of: &address) { bytes in
            unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            guard let base = buffer.baseAddress,
                let text = unsafe inet_ntop(AF_INET6, &address, base, socklen_t(INET6_ADDRSTRLEN))
            else { return "::" }
            return unsafe String(cString: text)
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// The usual text of the address.
    public var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }
}
