/// A socket on which MTAs are awaited.
public struct MilterListener: Sendable, Hashable {
    /// Where the socket is.
    public enum Address: Sendable, Hashable {
        /// A unix socket at this path, with this file mode and group.
        case unix(path: String, mode: UInt16, group: String?)
        /// A TCP socket on an IPv4 or IPv6 address or host name.
        case tcp(host: String, port: UInt16)
        /// The sockets of this name that the service manager has opened (sd_listen_fds(3)).
        case systemd(name: String)
    }

    /// Where the socket is.
    public var address: Address
    /// Connections served at a time; a session beyond it is told to try again later.
    public var maximumConnections: Int

    /// A listener.
    public init(_ address: Address, maximumConnections: Int = 1000) {
        self.address = address
        self.maximumConnections = maximumConnections
    }
}

extension MilterListener.Address: CustomStringConvertible {
    /// The address as milters and MTAs write it, and as logs have it.
    public var description: String {
        switch self {
        case .unix(let path, _, _): "unix:\(path)"
        case .tcp(let host, let port): "\(host.contains(":") ? "inet6" : "inet"):\(port)@\(host)"
        case .systemd(let name): "systemd:\(name)"
        }
    }
}
