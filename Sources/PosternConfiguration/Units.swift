/// Times and sizes in the notation of the configuration and the command line.
public enum Units {
    private static let times: [(unit: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]
    private static let sizes: [(unit: String, octets: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
    ]

    /// Reads `400ms`, `5s`, `2m`, `1h` or `1d`; nil for anything else.
    public static func duration(_ text: String) -> Duration? {
        guard let (number, unit) = split(text), let factor = times.first(where: { $0.unit == unit })?.milliseconds,
            let count = Int64(exactly: number)
        else { return nil }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: factor)
        return overflow ? nil : .milliseconds(milliseconds)
    }

    /// Writes a duration of whole milliseconds in the largest unit that fits.
    public static func duration(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        guard milliseconds != 0 else { return "0s" }
        let fitting = times.first { milliseconds % $0.milliseconds == 0 } ?? ("ms", 1)
        return "\(milliseconds / fitting.milliseconds)\(fitting.unit)"
    }

    /// Reads `512B`, `64KiB`, `64MiB` or `1GiB`; nil for anything else.
    public static func size(_ text: String) -> Int? {
        guard let (number, unit) = split(text), let factor = sizes.first(where: { $0.unit == unit })?.octets else {
            return nil
        }
        let (octets, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : octets
    }

    /// Writes a size in the largest unit that fits.
    public static func size(_ octets: Int) -> String {
        guard octets != 0 else { return "0B" }
        let fitting = sizes.first { octets % $0.octets == 0 } ?? ("B", 1)
        return "\(octets / fitting.octets)\(fitting.unit)"
    }

    private static func split(_ text: String) -> (Int, String)? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        return (number, String(text.dropFirst(digits.count)))
    }
}

/// Writes TOML.
enum TOMLText {
    /// A basic string.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
