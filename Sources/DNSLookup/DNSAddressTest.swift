public import MailSyntax

/// A test whether an answer has an address of a network.
public struct DNSAddressTest: Hashable, Sendable {
    /// The network; nil stands for a network without addresses.
    private let network: IPNetwork?

    /// A test for the addresses of a network.
    public init(_ network: IPNetwork?) {
        self.network = network
    }

    /// Whether an answer has an address of the network.
    public func holds(_ answer: DNSAnswer) -> Bool {
        guard let network else { return false }
        return answer.records.contains { record in
            switch record {
            case .a(let address): network.contains(.v4(address))
            case .aaaa(let address): network.contains(.v6(address))
            default: false
            }
        }
    }
}
