internal import MailSyntax

/// The identifier of a message in the store, which holds its time.
enum MessageID {
    /// How many messages may have the same millisecond.
    static let perMillisecond: Int64 = 4096

    /// The times that an event may have: the years 1970 to 9999.
    private static let times = 0.0..<253_402_300_800

    /// The first identifier of the millisecond of a time in seconds since 1970; nil for a time that no clock has.
    static func first(ofTime time: Double) -> Int64? {
        guard times.contains(time) else { return nil }
        return Int64((time * 1000).rounded()) * perMillisecond
    }

    /// The first identifier of a second.
    static func first(of time: UnixTime) -> Int64 {
        first(ofTime: Double(min(max(time.seconds, 0), 253_402_300_799))) ?? 0
    }

    /// The second of an identifier.
    static func time(of id: Int64) -> UnixTime { UnixTime(id / perMillisecond / 1000) }
}
