/// A time in seconds since 1970, without leap seconds: what SPF's `%{t}` and DKIM's `t=` and `x=` count.
public struct UnixTime: Hashable, Sendable {
    /// Seconds since 1970.
    public var seconds: Int64

    /// The time so many seconds after 1970.
    public init(_ seconds: Int64) {
        self.seconds = seconds
    }

    /// The last time that there is.
    public static let end = UnixTime(.max)
}

extension UnixTime: Comparable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    /// The time so many seconds after 1970.
    public init(integerLiteral seconds: Int64) {
        self.init(seconds)
    }

    /// Whether one time lies before another.
    public static func < (one: UnixTime, other: UnixTime) -> Bool { one.seconds < other.seconds }

    /// The time so many seconds later; no later than `end`.
    public static func + (time: UnixTime, seconds: Int64) -> UnixTime {
        let (sum, overflow) = time.seconds.addingReportingOverflow(seconds)
        return overflow ? end : UnixTime(sum)
    }

    /// By how many seconds `later` lies after `earlier`, which is no later; as many as can be counted when there are more.
    public static func - (later: UnixTime, earlier: UnixTime) -> Int64 {
        let (distance, overflow) = later.seconds.subtractingReportingOverflow(earlier.seconds)
        return overflow ? .max : distance
    }

    /// The seconds in decimal digits.
    public var description: String { String(seconds) }
}
