internal import ArgumentParser
internal import CommandSupport
internal import MailSyntax
internal import PosternSetup

/// A point in time, or how long ago it was.
struct TimeBound {
    /// Lower numbers are no seconds since 1970: somebody has left out the unit.
    private static let firstSeconds: Int64 = 100_000_000

    let time: UnixTime

    /// Reads `90m`, `12h`, `7d` or `2w` ago, or a time.
    init(_ text: String) throws {
        if text.last?.isLetter == true, let seconds = Names.seconds(text) {
            time = Clock.now + -seconds
            return
        }
        if let number = Int64(text), (1..<Self.firstSeconds).contains(number) {
            throw ValidationError("'\(text)' is no time; did you mean \(text)d?")
        }
        guard let point = try? PointInTime(text) else {
            throw ValidationError(
                "'\(text)' is no time; expected one such as 12h, 7d, 2w, 2026-11-23, '2026-11-23 12:00' (UTC) or 2026-11-23T12:00:00Z"
            )
        }
        time = point.time
    }
}
