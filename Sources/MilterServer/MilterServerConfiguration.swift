public import NIOCore

/// The bounds of a milter server.
public struct MilterServerConfiguration: Sendable {
    /// The sockets.
    public var listeners: [MilterListener]
    /// How many connections are served on all sockets together; nil: as many as the listeners allow.
    ///
    /// Each takes a file descriptor, and other things need some too.
    public var maximumConnections: Int?
    /// How many octets all sessions may hold of what can become large, beyond `MemoryShare.free` each.
    public var maximumHeldOctets = 32 << 20
    /// Greatest packet accepted, in octets of command and data.
    public var maximumPacketLength = 1_048_576
    /// How long an MTA may take to begin with option negotiation, and to complete a packet from its first octet on.
    public var commandTimeout = TimeAmount.minutes(5)
    /// How long a connection may be idle.
    ///
    /// MTAs keep idle connections, Sendmail for two hours.
    public var idleTimeout = TimeAmount.minutes(125)
    /// How often the MTA hears that the end of a message is still worked on.
    public var progressInterval = TimeAmount.seconds(5)

    /// The defaults, and these sockets.
    public init(listeners: [MilterListener]) { self.listeners = listeners }
}

/// What a server has done since it was started.
public struct MilterServerStatistics: Sendable, Hashable {
    /// Connections open now.
    public internal(set) var openConnections = 0
    /// Connections accepted, those refused included.
    public internal(set) var connections = 0
    /// Connections told to try again later because there were too many.
    public internal(set) var refusedConnections = 0
    /// Connections closed because they did not speak the protocol, or broke it.
    public internal(set) var violations = 0
    /// Connections closed because they were idle, or at one packet, for too long.
    public internal(set) var timeouts = 0
    /// How often there was no file descriptor for a connection.
    public internal(set) var descriptorShortages = 0
    /// Messages answered at their end.
    public internal(set) var messages = 0
    /// Messages given up by the MTA or with the connection.
    public internal(set) var abortedMessages = 0
    /// Events delivered, by the event's raw value.
    public internal(set) var events = [Int](repeating: 0, count: 10)
    /// Octets received.
    public internal(set) var receivedOctets = 0

    /// Takes a session's share.
    mutating func add(_ session: SessionStatistics) {
        messages += session.messages
        abortedMessages += session.abortedMessages
        receivedOctets += session.receivedOctets
        for index in session.events.indices { events[index] += session.events[index] }
    }
}

/// What a session has done since it last reported.
struct SessionStatistics {
    var messages = 0
    var abortedMessages = 0
    var receivedOctets = 0
    var events = InlineArray<10, Int>(repeating: 0)
}
