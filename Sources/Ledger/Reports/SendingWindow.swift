internal import MailSyntax

/// The hours of UTC in which reports are sent.
public struct SendingWindow: Sendable, Equatable {
    /// All day long.
    public static let always = SendingWindow(from: 0, to: 0)

    /// When it opens, in seconds after midnight.
    let start: Int64
    /// How long it is open, in seconds: more than 0.
    let length: Int64

    /// A window.
    ///
    /// - Parameters:
    ///   - start: when it opens, in seconds after midnight.
    ///   - end: when it closes; before `start`, it is the next day, and the same is a whole day.
    public init(from start: Int64, to end: Int64) {
        self.start = min(max(start, 0), ReportDay.length - 1)
        let length = (end - self.start) % ReportDay.length
        self.length = length > 0 ? length : length + ReportDay.length
    }

    /// When it opened last, at or before a time.
    func opening(before time: UnixTime) -> UnixTime {
        let today = ReportDay.start(ReportDay.of(time)) + start
        return today <= time ? today : today + -ReportDay.length
    }

    /// Whether it is open.
    func isOpen(at time: UnixTime) -> Bool { time - opening(before: time) < length }

    /// The first time, from one on, at which it is open.
    func next(from time: UnixTime) -> UnixTime {
        isOpen(at: time) ? time : opening(before: time) + ReportDay.length
    }

    /// How much is left of it at a time when it is open, in seconds.
    func rest(at time: UnixTime) -> Int64 { opening(before: time) + length - time }

    /// When a day must be closed so that its reports still go in the window: an hour before its end, in seconds after
    /// the midnight at the end of the day.
    var lastChance: Int64 { max(start, min(start + length, ReportDay.length) - 3600) }

    /// A time in what is left of the window, or in the next one.
    ///
    /// - Parameters:
    ///   - time: the time.
    ///   - fraction: how far into it, from 0 up to, and without, 1.
    func point(after time: UnixTime, _ fraction: Double) -> UnixTime {
        let first = next(from: time)
        return first + Int64(Double(rest(at: first)) * fraction)
    }
}
