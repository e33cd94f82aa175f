internal import FoundationEssentials
internal import MailSyntax
internal import NIOCore

/// The servers to ask, and the time limits.
public struct ResolverOptions: Hashable, Sendable {
    /// The servers, in order of preference.
    public var servers: [NameServer]
    /// How long the resolver waits for the first servers before it sends the question again; this time doubles with
    /// each round over the servers.
    ///
    /// A reply to an earlier attempt is accepted until `timeout` is over.
    public var attemptTimeout: Duration = .seconds(1)
    /// The longest wait for a single attempt.
    public var maximumAttemptTimeout: Duration = .seconds(5)
    /// How many times a question is sent in total.
    public var attempts = 6
    /// The longest time for a lookup, once there is room for it; RFC 7208 § 4.6.4 asks for 20 seconds or more for a
    /// whole check.
    public var timeout: Duration = .seconds(10)
    /// The most questions in flight, and as many again that have not been answered within `attemptTimeout`; further
    /// questions wait for their turn.
    public var maximumInFlight = 1024
    /// How many questions may wait beyond the first eight of each message.
    public var maximumWaiting = 8192
    /// How long a question waits for its turn; the asker may give up earlier.
    public var patience: Duration = .seconds(20)
    /// The greatest size of reply accepted over UDP (RFC 6891 § 6.2.3).
    public var ednsSize: UInt16 = 1232
    /// How long a TCP connection without questions stays open (RFC 7766 § 6.2.3).
    public var idleTimeout: Duration = .seconds(10)
    /// How long a server that does not answer gets no questions; it doubles up to 16 times this time.
    public var hold: Duration = .seconds(5)

    /// The defaults, with these servers.
    public init(servers: [NameServer]) {
        self.servers = servers
    }

    /// The servers of a `resolv.conf` file; the local server when the file names none or is absent, as resolv.conf(5)
    /// says.
    public static func systemServers(resolvConf path: String = "/etc/resolv.conf") -> [NameServer] {
        let octets = (try? Data(contentsOf: URL(filePath: path))).map { [UInt8]($0) } ?? []
        let servers = octets.split { $0 == .lf || $0 == .cr }.compactMap { line -> NameServer? in
            let words = line.split { $0.isWSP }
            guard words.count >= 2, words[0].elementsEqual("nameserver".utf8) else { return nil }
            return NameServer(words[1].text)
        }
        return servers.isEmpty ? [NameServer(.v4(IPv4Address(0x7F00_0001)))] : servers
    }
}

extension Room.Size {
    /// The room that these options allow.
    init(_ options: ResolverOptions) {
        self.init(
            inside: options.maximumInFlight,
            waiting: options.maximumWaiting,
            patience: TimeAmount(options.patience)
        )
    }
}
