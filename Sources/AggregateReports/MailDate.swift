internal import MailSyntax

extension UnixTime {
    /// The time in UTC as RFC 5322 § 3.3 writes it: `Sat, 28 Nov 2026 00:30:00 +0000`.
    var mailDate: String {
        let (days, second) = (Int(seconds / 86_400), Int(seconds % 86_400))
        let (year, month, day) = Self.date(ofDay: days)
        let clock = [second / 3_600, second / 60 % 60, second % 60].map(Self.twoDigits).joined(separator: ":")
        // 1970 began on a Thursday.
        return "\(Self.weekdays[days % 7]), \(day) \(Self.months[month - 1]) \(year) \(clock) +0000"
    }

    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

    /// The date of a day that is counted from 1970, which must not be earlier.
    static func date(ofDay days: Int) -> (year: Int, month: Int, day: Int) {
        var (year, left) = (1970, days)
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
