public import NIOCore

/// The sockets and limits of a milter server.
public struct MilterServerConfiguration: Sendable {
    /// The sockets.
    public var listeners: [MilterListener]
    /// The most connections served on all sockets together; nil: the sum of the listeners' limits.
    ///
    /// Each connection takes a file descriptor, and other parts of the process need some too.
    public var maximumConnections: Int?
    /// How many octets all sessions may hold of data that can become large, beyond `MemoryShare.free` for each part.
    public var maximumHeldOctets = 32 << 20
    /// The greatest accepted packet, in octets of command and data.
    public var maximumPacketLength = 1_048_576
    /// How long an MTA may take to begin option negotiation, and to complete a packet after its first octet.
    public var commandTimeout = TimeAmount.minutes(5)
    /// How long a connection may be idle.
    ///
    /// MTAs keep idle connections open, Sendmail for two hours.
    public var idleTimeout = TimeAmount.minutes(125)
    /// How often the MTA is told that the filter still works on the end of a message.
    public var progressInterval = TimeAmount.seconds(5)

    /// The defaults, with these sockets.
    public init(listeners: [MilterListener]) { self.listeners = listeners }
}

/// The statistics of a server since its start.
public struct MilterServerStatistics: Sendable, Hashable {
    /// Connections open now.
    public internal(set) var openConnections = 0
    /// Connections accepted, including refused connections.
    public internal(set) var connections = 0
    /// Connections told to try again later because there were too many.
    public internal(set) var refusedConnections = 0
    /// Connections closed because they did not speak the protocol, or broke it.
    public internal(set) var violations = 0
    /// Connections closed because they were idle, or took for a packet, too long.
    public internal(set) var timeouts = 0
    /// How often there was no file descriptor for a connection.
    public internal(set) var descriptorShortages = 0
    /// Messages answered at their end.
    public internal(set) var messages = 0
    /// Messages that ended without a verdict, because the MTA aborted them or the connection closed.
    public internal(set) var abortedMessages = 0
    /// Delivered events, indexed by the event's raw value.
    public internal(set) var events = [Int](repeating: 0, count: 10)
    /// Octets received.
    public internal(set) var receivedOctets = 0

    /// Adds a session's statistics.
    mutating func add(_ session: SessionStatistics) {
        messages += session.messages
        abortedMessages += session.abortedMessages
        receivedOctets += session.receivedOctets
        for index in session.events.indices { events[index] += session.events[index] }
    }
}

/// The statistics of a session since its last report.
struct SessionStatistics {
    var messages = 0
    var abortedMessages = 0
    var receivedOctets = 0
    var events = InlineArray<10, Int>(repeating: 0)
}
