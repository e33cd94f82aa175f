extension Configuration {
    /// About how many octets a connection takes that holds a small message: its channel, its buffers and the message.
    private static let connectionOctets = 48 << 10

    /// About how many octets all sessions take at most, when every connection is in use.
    public var sessionOctets: Int {
        listen.reduce(limits.maxHeld) { sum, listener in
            // A configuration may allow a million connections on any number of sockets.
            let (octets, overflow) = listener.maxConnections.multipliedReportingOverflow(by: Self.connectionOctets)
            return overflow ? .max : sum.addingReportingOverflow(octets).partialValue
        }
    }
}
