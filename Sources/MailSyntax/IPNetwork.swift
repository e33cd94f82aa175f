/// A block of addresses: a prefix in CIDR notation (RFC 4632 § 3.1, RFC 4291 § 2.3).
public struct IPNetwork: Hashable, Sendable {
    /// An address of the block.
    public let address: IPAddress
    /// How many leading bits all addresses of the block share.
    public let prefixLength: Int

    /// The block that shares `prefixLength` bits with `address`; nil when the address has fewer bits.
    public init?(_ address: IPAddress, prefixLength: Int) {
        guard (0...address.bitWidth).contains(prefixLength) else { return nil }
        self.address = address
        self.prefixLength = prefixLength
    }

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or a single address.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(first)) else { return nil }
        guard parts.count == 2 else {
            self.init(address, prefixLength: address.bitWidth)
            return
        }
        guard parts[1].utf8.allSatisfy(\.isDigit), let length = Int(parts[1]) else { return nil }
        self.init(address, prefixLength: length)
    }

    /// The block in its usual form, with its first address; a block of IPv4-mapped addresses is one of IPv4, because such
    /// addresses are compared as IPv4.
    public var canonical: IPNetwork {
        if prefixLength >= 96, case .v4(let mapped) = address.unmapped, case .v6 = address {
            return IPNetwork(first: .v4(mapped), prefixLength - 96).canonical
        }
        switch address {
        case .v4(let mine):
            let hostBits = prefixLength == 0 ? UInt32.max : (1 << (32 - prefixLength)) &- 1
            return IPNetwork(first: .v4(IPv4Address(mine.value & ~hostBits)), prefixLength)
        case .v6(let mine):
            let high = prefixLength == 0 ? UInt64.max : prefixLength < 64 ? (1 << (64 - prefixLength)) - 1 : 0
            let low = prefixLength <= 64 ? UInt64.max : (1 << (128 - prefixLength)) - 1
            return IPNetwork(first: .v6(IPv6Address(high: mine.high & ~high, low: mine.low & ~low)), prefixLength)
        }
    }

    private init(first address: IPAddress, _ prefixLength: Int) {
        self.address = address
        self.prefixLength = prefixLength
    }

    /// Whether the block contains `other`; never across address families.
    public func contains(_ other: IPAddress) -> Bool {
        switch (address, other) {
        case (.v4(let mine), .v4(let theirs)):
            prefixLength == 0 || (mine.value ^ theirs.value) >> (32 - prefixLength) == 0
        case (.v6(let mine), .v6(let theirs)):
            contains(highDifference: mine.high ^ theirs.high, lowDifference: mine.low ^ theirs.low)
        default: false
        }
    }

    /// Whether the block contains all of `other`.
    public func contains(_ other: IPNetwork) -> Bool { prefixLength <= other.prefixLength && contains(other.address) }

    private func contains(highDifference: UInt64, lowDifference: UInt64) -> Bool {
        if prefixLength == 0 { return true }
        if prefixLength <= 64 { return highDifference >> (64 - prefixLength) == 0 }
        return highDifference == 0 && lowDifference >> (128 - prefixLength) == 0
    }
}

extension IPNetwork: CustomStringConvertible {
    /// `192.0.2.0/24`, or the address alone when the block has only one.
    public var description: String {
        prefixLength == address.bitWidth ? address.description : "\(address)/\(prefixLength)"
    }
}
