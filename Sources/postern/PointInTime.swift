internal import ArgumentParser
internal import FoundationEssentials

/// A time on the command line: RFC 3339, or seconds since 1970.
struct PointInTime: ExpressibleByArgument {
    /// Seconds since 1970.
    let seconds: Int64

    init?(argument: String) {
        if let seconds = Int64(argument) {
            self.seconds = seconds
            return
        }
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: argument.contains("."))
        guard let date = try? style.parse(argument) else { return nil }
        seconds = Int64(date.timeIntervalSince1970)
    }
}
