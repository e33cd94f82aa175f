package import NIOCore

/// Counts an event that deserves a log line, but not a line each time.
package struct OccasionalNotice: Sendable {
    /// The shortest time between two lines.
    private static let interval = TimeAmount.minutes(1)

    private var last: NIODeadline?
    private var untold = 0

    /// A count of zero.
    package init() {}

    /// Counts the event once more.
    ///
    /// - Returns: the number of events since the last line, if it is time for another line.
    package mutating func count(at now: NIODeadline = .now()) -> Int? {
        untold += 1
        if let last, now - last < Self.interval { return nil }
        last = now
        defer { untold = 0 }
        return untold
    }
}
