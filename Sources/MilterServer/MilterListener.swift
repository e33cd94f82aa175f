/// A socket that accepts connections of MTAs.
public struct MilterListener: Sendable, Hashable {
    /// The address of the socket.
    public enum Address: Sendable, Hashable {
        /// A unix socket at this path, with this file mode and group.
        case unix(path: String, mode: UInt16, group: String?)
        /// A TCP socket on an IPv4 or IPv6 address or host name.
        case tcp(host: String, port: UInt16)
        /// The sockets of this name that the service manager opened (sd_listen_fds(3)).
        case systemd(name: String)
    }

    /// The address of the socket.
    public var address: Address
    /// The most connections served at a time; a further session is told to try again later.
    public var maximumConnections: Int

    /// A listener.
    public init(_ address: Address, maximumConnections: Int = 1000) {
        self.address = address
        self.maximumConnections = maximumConnections
    }
}

extension MilterListener.Address: CustomStringConvertible {
    /// The address in the notation of milters, MTAs and logs.
    public var description: String {
        switch self {
        case .unix(let path, _, _): "unix:\(path)"
        case .tcp(let host, let port): "\(host.contains(":") ? "inet6" : "inet"):\(port)@\(host)"
        case .systemd(let name): "systemd:\(name)"
        }
    }
}
