internal import MailSyntax

/// A time as RFC 3339 § 5.6 writes it, in seconds since 1970.
///
/// The clock, its seconds and the zone may be left out; without a zone the time is UTC. A day that the calendar does
/// not have is refused.
struct CalendarTime {
    /// The seconds since 1970; a fraction is dropped.
    let seconds: Int64

    /// Reads `2026-11-23`, `2026-11-23 12:00` or `2026-11-23T12:00:00.5+01:00`; nil for anything else.
    init?(_ text: String) {
        var reader = CalendarReader(Octets(text))
        guard let day = reader.day() else { return nil }
        var seconds = day * 86_400
        if reader.take("T", "t", " ") != nil {
            guard let clock = reader.clock(), let zone = reader.zone() else { return nil }
            seconds += clock - zone
        }
        guard reader.isAtEnd else { return nil }
        self.seconds = seconds
    }
}

/// Reads the parts of a time from left to right.
private struct CalendarReader {
    private static let daysOfMonths: [Int64] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

    /// The days from 0001-01-01 to 1970-01-01.
    private static let daysBefore1970: Int64 = 719_162

    private var rest: Octets

    init(_ text: Octets) {
        rest = text
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// Takes one of these characters.
    mutating func take(_ characters: Unicode.Scalar...) -> Unicode.Scalar? {
        guard let found = characters.first(where: { rest.first == UInt8(ascii: $0) }) else { return nil }
        rest.removeFirst()
        return found
    }

    /// The days from 1970-01-01 to the one that is next.
    mutating func day() -> Int64? {
        guard let year = number(4, 0...9999), take("-") != nil, let month = number(2, 1...12), take("-") != nil,
            let day = number(2, 1...31)
        else { return nil }
        let leapDay: Int64 = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 1 : 0
        guard day <= Self.daysOfMonths[Int(month) - 1] + (month == 2 ? leapDay : 0) else { return nil }
        let daysBefore = Self.daysOfMonths[..<(Int(month) - 1)].reduce(month > 2 ? leapDay : 0, +)
        let last = year - 1
        let leapDaysBefore = year == 0 ? -1 : last / 4 - last / 100 + last / 400
        return last * 365 + leapDaysBefore + daysBefore + day - 1 - Self.daysBefore1970
    }

    /// The seconds since midnight of the clock that is next.
    mutating func clock() -> Int64? {
        guard let hour = number(2, 0...23), take(":") != nil, let minute = number(2, 0...59) else { return nil }
        guard take(":") != nil else { return hour * 3600 + minute * 60 }
        // RFC 3339 § 5.7: a leap second is the 60th.
        guard let second = number(2, 0...60) else { return nil }
        if take(".") != nil {
            let digits = rest.prefix { $0.isDigit }
            guard !digits.isEmpty else { return nil }
            rest.removeFirst(digits.count)
        }
        return hour * 3600 + minute * 60 + second
    }

    /// How many seconds the zone that is next is ahead of UTC; 0 when none is given.
    mutating func zone() -> Int64? {
        guard let sign = take("+", "-") else {
            _ = take("Z", "z")
            return 0
        }
        guard let hour = number(2, 0...23), take(":") != nil, let minute = number(2, 0...59) else { return nil }
        return (hour * 3600 + minute * 60) * (sign == "-" ? -1 : 1)
    }

    /// A number of so many digits.
    private mutating func number(_ count: Int, _ range: ClosedRange<Int64>) -> Int64? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy(\.isDigit) else { return nil }
        rest.removeFirst(count)
        let number = digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        return range.contains(number) ? number : nil
    }
}
