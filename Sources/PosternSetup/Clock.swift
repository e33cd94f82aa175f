internal import Glibc
public import MailSyntax

/// The time of day.
public enum Clock {
    /// The time now.
    public static var now: UnixTime { UnixTime(Int64(time(nil))) }

    /// The time now in milliseconds since 1970.
    public static var milliseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
