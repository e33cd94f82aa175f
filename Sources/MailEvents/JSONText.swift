internal import MailSyntax

/// A JSON value in the making (RFC 8259), written member by member into octets.
struct JSONText {
    /// The most octets of a text that are written.
    static let maximumTextLength = 2048

    /// What is written so far.
    private(set) var octets: [UInt8] = []

    /// Nothing yet, with room for an ordinary event.
    init() {
        octets.reserveCapacity(2048)
    }

    /// Writes an object, as a member or as an element.
    mutating func object(_ name: StaticString? = nil, _ members: (inout JSONText) -> Void) {
        begin(name, UInt8(ascii: "{"))
        members(&self)
        octets.append(UInt8(ascii: "}"))
    }

    /// Writes an array, as a member or as an element.
    mutating func array(_ name: StaticString? = nil, _ elements: (inout JSONText) -> Void) {
        begin(name, UInt8(ascii: "["))
        elements(&self)
        octets.append(UInt8(ascii: "]"))
    }

    /// Writes an array of texts.
    mutating func array(_ name: StaticString, _ texts: some Sequence<String>) {
        array(name) { array in
            for text in texts { array.element(text) }
        }
    }

    /// Writes an array of numbers.
    mutating func array(_ name: StaticString, _ numbers: some Sequence<Int>) {
        array(name) { array in
            for number in numbers {
                array.separate()
                array.octets.append(String(number))
            }
        }
    }

    /// Writes a text, or null.
    mutating func add(_ name: StaticString, _ text: String?) {
        guard var text else { return null(name) }
        key(name)
        text.withUTF8 { unsafe quote($0) }
    }

    /// Writes octets as a text, or null; what is not UTF-8 becomes U+FFFD.
    mutating func add(_ name: StaticString, octets text: Octets?) {
        guard let text else { return null(name) }
        key(name)
        unsafe text.withUnsafeBufferPointer { unsafe quote($0) }
    }

    /// Writes a number, or null.
    mutating func add(_ name: StaticString, _ number: Int?) {
        guard let number else { return null(name) }
        key(name)
        octets.append(String(number))
    }

    /// Writes a number with three decimals, given in thousandths.
    mutating func add(_ name: StaticString, thousandths number: Int64) {
        key(name)
        octets.append(String(number / 1000))
        octets.append(UInt8(ascii: "."))
        let rest = number % 1000
        for divisor: Int64 in [100, 10, 1] { octets.append(0x30 + UInt8(truncatingIfNeeded: rest / divisor % 10)) }
    }

    /// Writes true or false.
    mutating func add(_ name: StaticString, _ flag: Bool) {
        key(name)
        octets.append(flag ? "true" : "false")
    }

    /// Writes null.
    mutating func null(_ name: StaticString) {
        key(name)
        octets.append("null")
    }

    /// Writes a text as an element.
    mutating func element(_ text: String) {
        separate()
        var text = text
        text.withUTF8 { unsafe quote($0) }
    }

    /// Writes octets as an element.
    mutating func element(octets text: Octets) {
        separate()
        unsafe text.withUnsafeBufferPointer { unsafe quote($0) }
    }

    private mutating func begin(_ name: StaticString?, _ bracket: UInt8) {
        if let name { key(name) } else { separate() }
        octets.append(bracket)
    }

    private mutating func key(_ name: StaticString) {
        separate()
        octets.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { unsafe octets.append(contentsOf: $0) }
        octets.append(UInt8(ascii: "\""))
        octets.append(UInt8(ascii: ":"))
    }

    /// Writes the comma before a member or an element that is not the first.
    private mutating func separate() {
        switch octets.last {
        // A text ends with its quote, so none of these belongs to a text.
        case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"): return
        default: octets.append(UInt8(ascii: ","))
        }
    }

    private mutating func quote(_ text: UnsafeBufferPointer<UInt8>) {
        let text = unsafe UnsafeBufferPointer(rebasing: text.prefix(Self.maximumTextLength))
        octets.append(UInt8(ascii: "\""))
        if unsafe text.allSatisfy(\.isPlain) {
            unsafe octets.append(contentsOf: text)
        } else {
            for scalar in unsafe String(decoding: text, as: UTF8.self).unicodeScalars { append(scalar) }
        }
        octets.append(UInt8(ascii: "\""))
    }

    /// RFC 8259 § 7: quotation mark, reverse solidus and the control characters "MUST be escaped".
    private mutating func append(_ scalar: Unicode.Scalar) {
        guard scalar.value >= 0x20, scalar != "\"", scalar != "\\", scalar.value != 0x7F else {
            octets.append("\\u00")
            for shift: UInt32 in [4, 0] { octets.append(UInt8.hexDigit(scalar.value >> shift & 0xF)) }
            return
        }
        octets.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
}

extension UInt8 {
    /// An octet that a JSON text may have as it is.
    fileprivate var isPlain: Bool {
        self >= 0x20 && self < 0x7F && self != UInt8(ascii: "\"") && self != UInt8(ascii: "\\")
    }

    fileprivate static func hexDigit(_ value: UInt32) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 10 ? 0x30 + value : 0x57 + value)
    }
}
