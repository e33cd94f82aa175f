internal import ArgumentParser
internal import FoundationEssentials

/// A time on the command line: RFC 3339, or seconds since 1970.
struct PointInTime {
    /// The times that are taken: the years 1970 to 9999.
    static let range: ClosedRange<Int64> = 0...253_402_300_799

    /// Seconds since 1970.
    let seconds: Int64

    init(_ text: String) throws(ValidationError) {
        guard let seconds = Self.seconds(text) else {
            throw ValidationError("'\(text)' is neither an RFC 3339 time nor a number of seconds since 1970")
        }
        guard Self.range.contains(seconds) else {
            throw ValidationError("'\(text)' is not in the years 1970 to 9999")
        }
        self.seconds = seconds
    }

    private static func seconds(_ text: String) -> Int64? {
        if let seconds = Int64(text) { return seconds }
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
        guard let date = try? style.parse(text) else { return nil }
        return Int64(exactly: date.timeIntervalSince1970.rounded(.down))
    }
}
