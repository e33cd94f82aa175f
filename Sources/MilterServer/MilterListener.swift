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

extension MilterListener.Address {
    /// Reads `unix:PATH`, `inet:PORT@HOST`, `inet6:PORT@HOST` or `systemd:NAME`; nil for anything else.
    ///
    /// Without host, the socket listens on every address of the family.
    public init?(_ text: String, mode: UInt16 = 0o660, group: String? = nil) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 2, let scheme = parts.first, let rest = parts.last, !rest.isEmpty else { return nil }
        switch scheme {
        case "unix", "local": self = .unix(path: rest, mode: mode, group: group)
        case "systemd": self = .systemd(name: rest)
        case "inet", "inet6":
            let place = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
            guard let port = place.first.flatMap({ UInt16($0) }) else { return nil }
            let everywhere = scheme == "inet" ? "0.0.0.0" : "::"
            guard place.count == 2, let host = place.last else {
                self = .tcp(host: everywhere, port: port)
                return
            }
            guard !host.isEmpty else { return nil }
            self = .tcp(host: host, port: port)
        default: return nil
        }
    }
}

extension MilterListener.Address: CustomStringConvertible {
    /// The text that `init` reads.
    public var description: String {
        switch self {
        case .unix(let path, _, _): "unix:\(path)"
        case .tcp(let host, let port): "\(host.contains(":") ? "inet6" : "inet"):\(port)@\(host)"
        case .systemd(let name): "systemd:\(name)"
        }
    }
}
