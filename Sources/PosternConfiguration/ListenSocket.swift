public import MailSyntax

/// The address of a socket that MTAs connect to.
public enum ListenSocket: Hashable, Sendable, CustomStringConvertible {
    /// A unix socket at a path.
    case unix(String)
    /// A port at an address.
    case inet(IPAddress, port: UInt16)
    /// A socket that systemd opened, by its `FileDescriptorName=`.
    case systemd(String)

    static let accepted = """
        "unix:/run/postern/postern.sock", "inet:8891@127.0.0.1", "inet6:8891@::1" or "systemd:NAME"
        """

    /// Reads `unix:PATH`, `inet:PORT@ADDRESS`, `inet6:PORT@ADDRESS` or `systemd:NAME`; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let rest = String(text[text.index(after: colon)...])
        switch text[..<colon] {
        case "unix", "local":
            // sockaddr_un has room for 107 octets.
            guard rest.hasPrefix("/"), rest.utf8.count <= 107 else { return nil }
            self = .unix(rest)
        case "inet", "inet6":
            guard let at = rest.firstIndex(of: "@"), let port = UInt16(rest[..<at]), port > 0 else { return nil }
            let isV6 = text.hasPrefix("inet6")
            let host = rest[rest.index(after: at)...]
            guard let address = IPAddress(host == "localhost" ? (isV6 ? "::1" : "127.0.0.1") : String(host)),
                (address.bitWidth == 128) == isV6
            else { return nil }
            self = .inet(address, port: port)
        case "systemd":
            guard !rest.isEmpty else { return nil }
            self = .systemd(rest)
        default: return nil
        }
    }

    /// The address as the configuration writes it.
    public var description: String {
        switch self {
        case .unix(let path): "unix:" + path
        case .inet(let address, let port): "\(address.bitWidth == 128 ? "inet6" : "inet"):\(port)@\(address)"
        case .systemd(let name): "systemd:" + name
        }
    }
}

/// An address with a port.
public struct AddressAndPort: Hashable, Sendable, CustomStringConvertible {
    /// The address.
    public let address: IPAddress
    /// The port.
    public let port: UInt16

    /// An address with a port.
    public init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `192.0.2.1:53`, `[2001:db8::1]:53`, or an address alone when there is a default port.
    public init?(_ text: String, defaultPort: UInt16? = nil) {
        if let address = IPAddress(text) {
            guard let defaultPort else { return nil }
            self.init(address, port: defaultPort)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard let address = IPAddress(String(host)), address.bitWidth == 128 else { return nil }
            self.init(address, port: port)
        } else {
            guard let address = IPAddress(String(host)), address.bitWidth == 32 else { return nil }
            self.init(address, port: port)
        }
    }

    /// The address as the configuration writes it.
    public var description: String {
        address.bitWidth == 128 ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}
