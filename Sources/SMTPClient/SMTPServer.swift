internal import MailSyntax

/// The place of a server: an address or a host name, with a port.
public struct SMTPServer: Sendable, Hashable, CustomStringConvertible {
    /// The address, or the name of the host.
    public let host: String
    /// The port.
    public let port: UInt16

    /// The mail server of this host.
    public static let local = SMTPServer(host: "127.0.0.1", port: 25)

    /// A server.
    private init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `127.0.0.1:25`, `[::1]:25` or `mail.example.org:25`; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard IPAddress(String(host))?.bitWidth == 128 else { return nil }
        } else {
            guard IPAddress(String(host))?.bitWidth == 32 || (try? DomainName(mailHost: Octets(String(host)))) != nil
            else { return nil }
        }
        self.init(host: String(host), port: port)
    }

    /// Whether the server is on this host, seen from its address alone: what is sent there does not leave the host.
    public var isLocal: Bool {
        switch IPAddress(host) {
        case .v4(let address): address.value >> 24 == 127
        case .v6: host == "::1"
        case nil: host == "localhost"
        }
    }

    /// The place as it is written.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
