public import MailSyntax
internal import NIOCore

/// The address and port of a name server.
public struct NameServer: Hashable, Sendable {
    /// The address.
    public let address: IPAddress
    /// The interface of a link-local address (RFC 4007 § 11), as in `fe80::1%eth0`.
    public let interface: String?
    /// The port; by default 53.
    public let port: UInt16

    /// A server at an address.
    public init(_ address: IPAddress, port: UInt16 = 53, interface: String? = nil) {
        self.address = address
        self.port = port
        self.interface = interface
    }

    /// Reads `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353` or `fe80::1%eth0`; nil for anything else.
    public init?(_ text: String) {
        var host = text[...]
        var port: UInt16 = 53
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let rest = text[text.index(after: end)...]
            host = text[..<end].dropFirst()
            if !rest.isEmpty {
                guard rest.hasPrefix(":"), let number = UInt16(rest.dropFirst()) else { return nil }
                port = number
            }
        } else if let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon {
            guard let number = UInt16(text[text.index(after: colon)...]) else { return nil }
            host = text[..<colon]
            port = number
        }
        let parts = host.split(separator: "%", maxSplits: 1)
        guard port != 0, let first = parts.first, let address = IPAddress(String(first)) else { return nil }
        if case .v4 = address, parts.count > 1 { return nil }
        self.init(address, port: port, interface: parts.count > 1 ? String(parts[1]) : nil)
    }

    /// The address for a socket; nil when its interface does not exist.
    var socketAddress: SocketAddress? {
        guard let interface else { return try? SocketAddress(ipAddress: "\(address)", port: Int(port)) }
        // Only getaddrinfo knows the interfaces; for a numeric address with an interface it sends no question.
        return try? SocketAddress.makeAddressResolvingHost("\(address)%\(interface)", port: Int(port))
    }
}

extension NameServer: CustomStringConvertible {
    /// The address, and the port unless it is 53.
    public var description: String {
        let host = "\(address)" + (interface.map { "%" + $0 } ?? "")
        switch (address, port) {
        case (_, 53): return host
        case (.v4, _): return "\(host):\(port)"
        case (.v6, _): return "[\(host)]:\(port)"
        }
    }
}
