internal import Glibc
public import MailSyntax

/// The time of day.
public enum Clock {
    /// The time now.
    public static var now: UnixTime { UnixTime(Int64(time(nil))) }
}
