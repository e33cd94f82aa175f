public import MailSyntax

/// A set of networks, looked up by prefix.
public struct NetworkSet: Sendable {
    /// The first address of each network, by prefix length.
    private var v4: [Int: Set<UInt32>] = [:]
    private var v6: [Int: Set<IPv6Address>] = [:]

    /// An empty set.
    public init() {}

    /// A set of these networks.
    public init(_ networks: some Sequence<IPNetwork>) {
        for network in networks { insert(network) }
    }

    /// Whether the set is empty.
    public var isEmpty: Bool { v4.isEmpty && v6.isEmpty }

    /// The networks, in no order.
    public var networks: [IPNetwork] {
        v4.flatMap { length, firsts in firsts.map { (IPAddress.v4(IPv4Address($0)), length) } }
            .compactMap { IPNetwork($0, prefixLength: $1) }
            + v6.flatMap { length, firsts in firsts.map { (IPAddress.v6($0), length) } }
            .compactMap { IPNetwork($0, prefixLength: $1) }
    }

    /// Adds a network.
    public mutating func insert(_ network: IPNetwork) {
        switch network.address {
        case .v4(let address):
            v4[network.prefixLength, default: []].insert(Self.masked(address, network.prefixLength))
        case .v6(let address):
            v6[network.prefixLength, default: []].insert(Self.masked(address, network.prefixLength))
        }
    }

    /// Adds the networks of another set.
    public mutating func formUnion(_ other: NetworkSet) {
        v4.merge(other.v4) { $0.union($1) }
        v6.merge(other.v6) { $0.union($1) }
    }

    /// Whether an address is in one of the networks; an IPv4-mapped address counts as IPv4.
    public func contains(_ address: IPAddress) -> Bool {
        switch address.unmapped {
        case .v4(let address):
            v4.contains { length, networks in networks.contains(Self.masked(address, length)) }
        case .v6(let address):
            v6.contains { length, networks in networks.contains(Self.masked(address, length)) }
        }
    }

    // Swift's `<<` gives zero when all bits are shifted out.
    private static func masked(_ address: IPv4Address, _ length: Int) -> UInt32 {
        address.value & (UInt32.max << (32 - length))
    }

    private static func masked(_ address: IPv6Address, _ length: Int) -> IPv6Address {
        IPv6Address(
            high: address.high & (UInt64.max << max(0, 64 - length)),
            low: address.low & (UInt64.max << min(64, 128 - length))
        )
    }
}
