/// A time in seconds since 1970, without leap seconds: the unit of SPF's `%{t}` and of DKIM's `t=` and `x=`.
public struct UnixTime: Hashable, Sendable {
    /// Seconds since 1970.
    public var seconds: Int64

    /// The time that many seconds after 1970.
    public init(_ seconds: Int64) {
        self.seconds = seconds
    }

    /// The latest time that can be represented.
    public static let end = UnixTime(.max)
}

extension UnixTime: Comparable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    /// The time that many seconds after 1970.
    public init(integerLiteral seconds: Int64) {
        self.init(seconds)
    }

    /// Whether one time is before another.
    public static func < (one: UnixTime, other: UnixTime) -> Bool { one.seconds < other.seconds }

    /// The time that many seconds later, at most `end`.
    public static func + (time: UnixTime, seconds: Int64) -> UnixTime {
        let (sum, overflow) = time.seconds.addingReportingOverflow(seconds)
        return overflow ? end : UnixTime(sum)
    }

    /// The seconds from `earlier` to `later`, which must not be later; at most `Int64.max`.
    public static func - (later: UnixTime, earlier: UnixTime) -> Int64 {
        let (distance, overflow) = later.seconds.subtractingReportingOverflow(earlier.seconds)
        return overflow ? .max : distance
    }

    /// The seconds in decimal digits.
    public var description: String { String(seconds) }
}
