internal import Glibc

/// The time of day.
public enum Clock {
    /// Seconds since 1970.
    public static var now: Int64 { Int64(time(nil)) }
}
