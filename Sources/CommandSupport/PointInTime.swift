public import ArgumentParser
public import MailSyntax

/// A time on the command line: RFC 3339, of which the clock and the zone may be left out, or seconds since 1970.
public struct PointInTime: Decodable {
    /// The accepted times: the years 1970 to 9999.
    public static let range: ClosedRange<Int64> = 0...253_402_300_799

    /// The time.
    public let time: UnixTime

    /// Reads a time.
    public init(_ text: String) throws(ValidationError) {
        guard let seconds = Int64(text) ?? CalendarTime(text)?.seconds else {
            throw ValidationError(
                "'\(text)' is neither a time as RFC 3339 has it, such as 2026-11-23T12:00:00Z, nor seconds since 1970"
            )
        }
        guard Self.range.contains(seconds) else {
            throw ValidationError("'\(text)' is not in the years 1970 to 9999")
        }
        time = UnixTime(seconds)
    }

    /// A time in JSON: a text, or a number of seconds.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int64.self) {
            try self.init(String(number))
        } else {
            try self.init(container.decode(String.self))
        }
    }
}
