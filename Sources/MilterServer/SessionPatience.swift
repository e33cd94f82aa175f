internal import NIOCore

/// The time limits of a silent connection.
struct SessionPatience {
    private let commandTimeout: TimeAmount
    private let idleTimeout: TimeAmount
    /// When the last octets were received from or sent to the MTA.
    private var lastActivity: NIODeadline
    /// When the MTA began what it must complete in time: its first packet, or an incomplete packet.
    private var packetBegan: NIODeadline?

    /// Begins the wait for the first packet.
    init(_ configuration: MilterServerConfiguration, now: NIODeadline) {
        commandTimeout = configuration.commandTimeout
        idleTimeout = configuration.idleTimeout
        lastActivity = now
        packetBegan = now
    }

    /// Notes that octets were received from or sent to the MTA.
    mutating func note(now: NIODeadline) { lastActivity = now }

    /// Notes whether a packet has begun and is incomplete.
    ///
    /// An MTA that sends the packet octet by octet gets no extra time.
    ///
    /// - Parameter isAnother: whether this packet is another packet than before.
    mutating func notePacket(isBegun: Bool, isAnother: Bool) {
        if !isBegun {
            packetBegan = nil
        } else if isAnother || packetBegan == nil {
            packetBegan = lastActivity
        }
    }

    /// When the connection must be closed unless something happens.
    var closingTime: NIODeadline {
        packetBegan.map { $0 + commandTimeout } ?? lastActivity + idleTimeout
    }

    /// When to check again, early enough to notice that the closing time has moved closer.
    func nextLook(now: NIODeadline, isWaiting: Bool) -> NIODeadline {
        let next = now + min(commandTimeout, idleTimeout)
        return isWaiting ? next : min(closingTime, next)
    }
}
