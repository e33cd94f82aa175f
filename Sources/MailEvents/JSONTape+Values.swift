internal import MailSyntax

extension JSONTape {
    /// The text of a string; nil where an escape stands for no character.
    func string(_ value: Value) -> String? {
        let octets = octets(value)
        guard value.hasEscapes else { return String(decoding: octets, as: UTF8.self) }
        var text = String.UnicodeScalarView()
        var rest = octets
        while let place = rest.firstIndex(of: UInt8(ascii: "\\")) {
            text.append(contentsOf: String(decoding: rest[..<place], as: UTF8.self).unicodeScalars)
            rest = rest[(place + 1)...]
            guard let scalar = Self.escape(&rest) else { return nil }
            text.append(scalar)
        }
        text.append(contentsOf: String(decoding: rest, as: UTF8.self).unicodeScalars)
        return String(text)
    }

    /// The character that an escape stands for, whose backslash has been read (RFC 8259 § 7).
    private static func escape(_ rest: inout Octets) -> Unicode.Scalar? {
        switch rest.popFirst() {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            guard let unit = unit(&rest) else { return nil }
            guard (0xD800..<0xDC00).contains(unit) else { return Unicode.Scalar(unit) }
            // The first half of a character beyond the Basic Multilingual Plane.
            guard rest.popFirst() == UInt8(ascii: "\\"), rest.popFirst() == UInt8(ascii: "u"),
                let low = Self.unit(&rest),
                (0xDC00..<0xE000).contains(low)
            else { return nil }
            return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        default: return nil
        }
    }

    private static func unit(_ rest: inout Octets) -> UInt32? {
        guard rest.count >= 4 else { return nil }
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = rest.popFirst()?.hexValue else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    /// A number; nil where it is too great.
    func double(_ value: Value) -> Double? {
        Double(String(decoding: octets(value), as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
    }

    /// A whole number; nil for any other.
    func integer(_ value: Value) -> Int? {
        let octets = octets(value)
        guard octets.count < 16, octets.allSatisfy(\.isDigit) else { return double(value).flatMap { Int(exactly: $0) } }
        return octets.reduce(0) { $0 * 10 + Int($1 &- 0x30) }
    }
}
