internal import MailSyntax

extension UnixTime {
    /// The time in UTC as RFC 5322 § 3.3 writes it: `Sat, 28 Nov 2026 00:30:00 +0000`.
    var mailDate: String {
        let seconds = Int(max(0, min(seconds, Self.lastSecond)))
        let (days, second) = (seconds / 86_400, seconds % 86_400)
        let (year, month, day) = Self.date(ofDay: days)
        let clock = [second / 3_600, second / 60 % 60, second % 60].map(Self.twoDigits).joined(separator: ":")
        // 1970 began on a Thursday.
        return "\(Self.weekdays[days % 7]), \(day) \(Self.months[month - 1]) \(year) \(clock) +0000"
    }

    /// The end of the year 9999: RFC 5322 § 3.3 has four digits or more, and programs have four.
    private static let lastSecond: Int64 = 253_402_300_799

    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

    /// The date of a day that is counted from 1970; a day before is taken for the first, one after 9999 for the last.
    static func date(ofDay days: Int) -> (year: Int, month: Int, day: Int) {
        var (year, left) = (1970, max(0, min(days, Int(lastSecond / 86_400))))
        while left >= length(of: year) {
            left -= length(of: year)
            year += 1
        }
        var month = 1
        for length in [31, length(of: year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
            guard left >= length else { break }
            left -= length
            month += 1
        }
        return (year, month, left + 1)
    }

    private static func length(of year: Int) -> Int {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365
    }
}
