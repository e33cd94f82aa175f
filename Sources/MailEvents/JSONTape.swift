internal import MailSyntax

/// JSON text (RFC 8259), cut into its values.
///
/// The values stand in the order of the text; those of an array or an object follow it, and each knows where the next one
/// behind it is. Nothing is copied until it is asked for.
struct JSONTape {
    /// The kind of a value.
    enum Kind: UInt8 {
        case null, isTrue, isFalse, number, string, array, object
    }

    /// A value, or the name of a member.
    struct Value {
        let kind: Kind
        /// Whether a string has escapes.
        var hasEscapes = false
        /// Where its text begins; that of a string without the quotes.
        let start: Int32
        /// Where its text ends.
        var end: Int32
        /// The place of the value behind it and all that is in it.
        var next: Int32
    }

    /// How deep arrays and objects may be in one another.
    private static let maximumDepth = 64

    /// The text.
    let text: Octets
    /// The values; the first is the whole.
    private(set) var values: [Value] = []
    private var index = 0

    /// Reads a text; nil when it is not JSON.
    init?(_ text: Octets) {
        // RFC 8259 § 8.1: JSON text is UTF-8.
        guard text.count < 1 << 30, text.isASCII || String(validating: text, as: UTF8.self) != nil else { return nil }
        self.text = text
        values.reserveCapacity(384)
        guard readValue(text.span, depth: 0) else { return nil }
        skipSpace(text.span)
        guard index == text.count else { return nil }
    }

    /// The octets of a value.
    func octets(_ value: Value) -> Octets {
        text[(text.startIndex + Int(value.start))..<(text.startIndex + Int(value.end))]
    }

    private mutating func skipSpace(_ text: Span<UInt8>) {
        while index < text.count, [0x20, 0x0A, 0x0D, 0x09].contains(text[index]) { index += 1 }
    }

    /// Reads a value behind white space.
    private mutating func readValue(_ text: Span<UInt8>, depth: Int) -> Bool {
        skipSpace(text)
        guard index < text.count, depth < Self.maximumDepth else { return false }
        switch text[index] {
        case UInt8(ascii: "\""): return readString(text)
        case UInt8(ascii: "{"): return readContainer(text, .object, end: UInt8(ascii: "}"), depth: depth)
        case UInt8(ascii: "["): return readContainer(text, .array, end: UInt8(ascii: "]"), depth: depth)
        case UInt8(ascii: "t"): return readWord(text, "true", .isTrue)
        case UInt8(ascii: "f"): return readWord(text, "false", .isFalse)
        case UInt8(ascii: "n"): return readWord(text, "null", .null)
        default: return readNumber(text)
        }
    }

    private mutating func add(_ kind: Kind, from start: Int, hasEscapes: Bool = false, to end: Int) {
        let next = Int32(truncatingIfNeeded: values.count + 1)
        let (start, end) = (Int32(truncatingIfNeeded: start), Int32(truncatingIfNeeded: end))
        values.append(Value(kind: kind, hasEscapes: hasEscapes, start: start, end: end, next: next))
    }

    private mutating func readWord(_ text: Span<UInt8>, _ word: StaticString, _ kind: Kind) -> Bool {
        let start = index
        let count = word.utf8CodeUnitCount
        guard start + count <= text.count else { return false }
        let isThere = word.withUTF8Buffer { octets in
            for offset in 0..<count where unsafe text[start + offset] != octets[offset] { return false }
            return true
        }
        index += count
        add(kind, from: start, to: index)
        return isThere
    }

    /// RFC 8259 § 7.
    private mutating func readString(_ text: Span<UInt8>) -> Bool {
        index += 1
        let start = index
        var hasEscapes = false
        while index < text.count {
            let octet = text[index]
            if octet == UInt8(ascii: "\"") {
                add(.string, from: start, hasEscapes: hasEscapes, to: index)
                index += 1
                return true
            }
            guard octet >= 0x20 else { return false }
            index += 1
            if octet == UInt8(ascii: "\\") {
                hasEscapes = true
                guard skipEscape(text) else { return false }
            }
        }
        return false
    }

    /// Skips what follows a backslash.
    private mutating func skipEscape(_ text: Span<UInt8>) -> Bool {
        guard index < text.count else { return false }
        let octet = text[index]
        index += 1
        guard octet == UInt8(ascii: "u") else { return "\"\\/bfnrt".utf8.contains(octet) }
        guard index + 4 <= text.count else { return false }
        defer { index += 4 }
        return (index..<index + 4).allSatisfy { text[$0].hexValue != nil }
    }

    /// RFC 8259 § 6.
    private mutating func readNumber(_ text: Span<UInt8>) -> Bool {
        let start = index
        func octet(_ index: Int) -> UInt8 { index < text.count ? text[index] : 0 }
        if octet(index) == UInt8(ascii: "-") { index += 1 }
        let first = index
        while octet(index).isDigit { index += 1 }
        // No zero stands before other digits.
        guard index > first, octet(first) != UInt8(ascii: "0") || index == first + 1 else { return false }
        if octet(index) == UInt8(ascii: ".") {
            index += 1
            guard octet(index).isDigit else { return false }
            while octet(index).isDigit { index += 1 }
        }
        if octet(index) | 0x20 == UInt8(ascii: "e") {
            index += 1
            if [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(octet(index)) { index += 1 }
            guard octet(index).isDigit else { return false }
            while octet(index).isDigit { index += 1 }
        }
        add(.number, from: start, to: index)
        return true
    }

    /// RFC 8259 §§ 4 and 5.
    private mutating func readContainer(_ text: Span<UInt8>, _ kind: Kind, end: UInt8, depth: Int) -> Bool {
        let place = values.count
        add(kind, from: index, to: index)
        index += 1
        skipSpace(text)
        var isFirst = true
        while index < text.count, text[index] != end {
            if !isFirst {
                guard text[index] == UInt8(ascii: ",") else { return false }
                index += 1
                skipSpace(text)
            }
            isFirst = false
            guard kind == .array || readName(text), readValue(text, depth: depth + 1) else { return false }
            skipSpace(text)
        }
        guard index < text.count else { return false }
        index += 1
        values[place].end = Int32(truncatingIfNeeded: index)
        values[place].next = Int32(truncatingIfNeeded: values.count)
        return true
    }

    private mutating func readName(_ text: Span<UInt8>) -> Bool {
        guard index < text.count, text[index] == UInt8(ascii: "\""), readString(text) else { return false }
        skipSpace(text)
        guard index < text.count, text[index] == UInt8(ascii: ":") else { return false }
        index += 1
        return true
    }
}
