public import DNSResolver
public import MailSyntax

/// The address of a socket for MTAs.
public enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// A unix socket at a path.
    case unix(String)
    /// A port at an address.
    case inet(IPAddress, port: UInt16)
    /// A socket that systemd opened, by its `FileDescriptorName=`.
    case systemd(String)

    static let accepted = """
        "inet:8891@127.0.0.1" or "inet6:8891@::1", with an address and no host name, "unix:/PATH" or "systemd:NAME"
        """

    /// The default: a mail server in a chroot can reach it too, and it needs neither a directory nor a group.
    public static let standard = ListenAddress.inet(.v4(IPv4Address(0x7F00_0001)), port: 8891)

    /// Reads `unix:PATH`, `inet:PORT@ADDRESS`, `inet6:PORT@ADDRESS` or `systemd:NAME`; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let rest = String(text[text.index(after: colon)...])
        switch text[..<colon] {
        case "unix":
            guard rest.hasPrefix("/"), rest.utf8.count <= Self.maximumPathLength else { return nil }
            self = .unix(rest)
        case "inet", "inet6":
            guard let at = rest.firstIndex(of: "@"), let port = UInt16(rest[..<at]), port > 0 else { return nil }
            let isV6 = text.hasPrefix("inet6")
            let host = rest[rest.index(after: at)...]
            guard let address = IPAddress(String(host)), (address.bitWidth == 128) == isV6 else { return nil }
            self = .inet(address, port: port)
        case "systemd":
            guard !rest.isEmpty else { return nil }
            self = .systemd(rest)
        default: return nil
        }
    }

    /// The address in the notation of the configuration.
    public var description: String {
        switch self {
        case .unix(let path): "unix:" + path
        case .inet(let address, let port): "\(address.bitWidth == 128 ? "inet6" : "inet"):\(port)@\(address)"
        case .systemd(let name): "systemd:" + name
        }
    }
}

extension ListenAddress {
    /// unix(7): sockaddr_un has room for 107 octets.
    ///
    /// The temporary name of a new socket, which appends `.` and a process number, takes 8 of them.
    static let maximumPathLength = 99

    /// The problem of a text whose path is too long; nil for any other text.
    static func lengthProblem(_ text: String) -> String? {
        let path = ["unix:", "local:"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) } ?? text[...]
        guard path.hasPrefix("/"), path.utf8.count > maximumPathLength else { return nil }
        return "the path of a unix socket has at most \(maximumPathLength) octets, and this one has \(path.utf8.count)"
    }

    /// The socket meant by a text in libmilter's, Postfix's or a person's own notation; nil when that is not clear.
    static func meant(by text: String) -> ListenAddress? {
        if text.hasPrefix("/") { return ListenAddress("unix:" + text) }
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let rest = String(text[text.index(after: colon)...])
        switch text[..<colon] {
        case "unix", "local":
            // Postfix's paths start at its queue directory, where only Postfix creates files.
            guard rest.contains("/") else { return nil }
            return ListenAddress("unix:" + (rest.hasPrefix("/") ? "" : "/var/spool/postfix/") + rest)
        case "inet": return meantAddress(rest, loopback: "127.0.0.1")
        case "inet6": return meantAddress(rest, loopback: "::1")
        default: return meantAddress(text, loopback: "127.0.0.1")
        }
    }

    /// Reads `8891`, `8891@ADDRESS` and `ADDRESS:8891`; `localhost` means the loopback address.
    private static func meantAddress(_ text: String, loopback: String) -> ListenAddress? {
        if let port = UInt16(text), port > 0, let address = IPAddress(loopback) { return .inet(address, port: port) }
        let parts = text.split(separator: "@", maxSplits: 1)
        if parts.count == 2, let port = parts.first.flatMap({ UInt16($0) }), port > 0, let host = parts.last {
            return IPAddress(host == "localhost" ? loopback : String(host)).map { .inet($0, port: port) }
        }
        let isLocal = text.hasPrefix("localhost:")
        return AddressAndPort(isLocal ? "127.0.0.1" + text.dropFirst("localhost".count) : text)
            .map { .inet($0.address, port: $0.port) }
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

    /// The address in the notation of the configuration.
    public var description: String {
        address.bitWidth == 128 ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}

extension NameServer {
    /// The server at an address.
    public init(_ place: AddressAndPort) {
        self.init(place.address, port: place.port)
    }
}
