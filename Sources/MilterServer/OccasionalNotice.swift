package import NIOCore

/// How often something has happened that is worth a line in the log, though not one each time.
package struct OccasionalNotice: Sendable {
    /// How much time passes between two lines at least.
    private static let interval = TimeAmount.minutes(1)

    private var last: NIODeadline?
    private var untold = 0

    /// Nothing has happened yet.
    package init() {}

    /// Counts it once more.
    ///
    /// - Returns: how often it has happened since the last line, if it is time for another line.
    package mutating func count(at now: NIODeadline = .now()) -> Int? {
        untold += 1
        if let last, now - last < Self.interval { return nil }
        last = now
        defer { untold = 0 }
        return untold
    }
}
