internal import NIOCore

/// Until when a connection that says nothing is kept open.
struct SessionPatience {
    private let commandTimeout: TimeAmount
    private let idleTimeout: TimeAmount
    /// When the MTA last said or was told something.
    private var lastActivity: NIODeadline
    /// Since when the MTA has been at what it must complete in time: its first packet, or one that it has begun.
    private var packetBegan: NIODeadline?

    /// Begins to wait for the first packet.
    init(_ configuration: MilterServerConfiguration, now: NIODeadline) {
        commandTimeout = configuration.commandTimeout
        idleTimeout = configuration.idleTimeout
        lastActivity = now
        packetBegan = now
    }

    /// Notes that the MTA said or was told something.
    mutating func note(now: NIODeadline) { lastActivity = now }

    /// Notes whether a packet is begun and not complete.
    ///
    /// Whoever sends it octet by octet gets no more time for it.
    ///
    /// - Parameter isAnother: whether it is another packet than before.
    mutating func notePacket(isBegun: Bool, isAnother: Bool) {
        if !isBegun {
            packetBegan = nil
        } else if isAnother || packetBegan == nil {
            packetBegan = lastActivity
        }
    }

    /// When the connection is to be closed unless something happens.
    var closingTime: NIODeadline {
        packetBegan.map { $0 + commandTimeout } ?? lastActivity + idleTimeout
    }

    /// When to look again, so that it is noticed that the closing time has moved to the front.
    func nextLook(now: NIODeadline, isWaiting: Bool) -> NIODeadline {
        let next = now + min(commandTimeout, idleTimeout)
        return isWaiting ? next : min(closingTime, next)
    }
}
