internal import MailSyntax

/// A line with a JSON value (RFC 8259), written member by member into room that serves one line after the other.
public struct JSONText: Sendable {
    /// The most octets of a text that are written.
    static let maximumTextLength = 2048

    /// What is written so far, and room for more: a call for each octet would cost more than all else.
    private var room = [UInt8](repeating: 0, count: 4096)
    /// How many octets are written so far.
    private(set) var count = 0
    /// Whether the next member or element is the first.
    private var isFirst = true

    /// Nothing yet.
    public init() {}

    /// What is written.
    public var octets: ArraySlice<UInt8> { room[..<count] }

    /// The size of the room, in octets.
    public var capacity: Int { room.count }

    /// Writes an object and a line end in place of what is written.
    mutating func line(_ members: (inout JSONText) -> Void) {
        (count, isFirst) = (0, true)
        object(nil, members)
        append(UInt8(ascii: "\n"))
    }

    /// Writes an object, as a member or as an element.
    mutating func object(_ name: StaticString? = nil, _ members: (inout JSONText) -> Void) {
        begin(name, UInt8(ascii: "{"))
        members(&self)
        end(UInt8(ascii: "}"))
    }

    /// Writes an array, as a member or as an element.
    mutating func array(_ name: StaticString? = nil, _ elements: (inout JSONText) -> Void) {
        begin(name, UInt8(ascii: "["))
        elements(&self)
        end(UInt8(ascii: "]"))
    }

    /// Writes an array of texts.
    mutating func array(_ name: StaticString, _ texts: some Sequence<String>) {
        array(name) { array in
            for text in texts { array.element(text) }
        }
    }

    /// Writes an array of domain names.
    mutating func array(_ name: StaticString, _ domains: [DomainName]) {
        array(name) { array in
            for domain in domains {
                array.separate()
                array.quote(domain)
            }
        }
    }

    /// Writes an array of numbers.
    mutating func array(_ name: StaticString, _ numbers: some Sequence<Int>) {
        array(name) { array in
            for number in numbers {
                array.separate()
                array.append(number)
            }
        }
    }

    /// Writes a text, or null.
    mutating func add(_ name: StaticString, _ text: String?) {
        guard var text else { return null(name) }
        key(name)
        text.withUTF8 { unsafe quote($0) }
    }

    /// Writes a domain name, or null.
    mutating func add(_ name: StaticString, _ domain: DomainName?) {
        guard let domain else { return null(name) }
        key(name)
        quote(domain)
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
        append(number)
    }

    /// Writes a number as a text of hexadecimal digits.
    mutating func add(_ name: StaticString, hexadecimal number: Int) {
        key(name)
        append(UInt8(ascii: "\""))
        append(number, radix: 16)
        append(UInt8(ascii: "\""))
    }

    /// Writes a number with three decimals, given in thousandths.
    mutating func add(_ name: StaticString, thousandths number: Int64) {
        key(name)
        let rest = number % 1000
        append(Int(number / 1000))
        append(UInt8(ascii: "."))
        for divisor: Int64 in [100, 10, 1] { append(0x30 + UInt8(truncatingIfNeeded: rest / divisor % 10)) }
    }

    /// Writes true or false.
    mutating func add(_ name: StaticString, _ flag: Bool) {
        key(name)
        append(flag ? "true" : "false")
    }

    /// Writes null.
    mutating func null(_ name: StaticString) {
        key(name)
        append("null")
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
        append(bracket)
        isFirst = true
    }

    private mutating func end(_ bracket: UInt8) {
        append(bracket)
        isFirst = false
    }

    /// Writes the comma before a member or an element that is not the first.
    private mutating func separate() {
        if !isFirst { append(UInt8(ascii: ",")) }
        isFirst = false
    }

    /// Writes the comma, the name and the colon of a member in one go: an event has seventy.
    private mutating func key(_ name: StaticString) {
        let (length, isFirst) = (name.utf8CodeUnitCount, isFirst)
        self.isFirst = false
        unsafe append(upTo: length + 4) { start in
            var end = unsafe start
            if !isFirst { unsafe end.put(UInt8(ascii: ",")) }
            unsafe end.put(UInt8(ascii: "\""))
            unsafe end.put(UnsafeBufferPointer(start: name.utf8Start, count: length))
            unsafe end.put(UInt8(ascii: "\""))
            unsafe end.put(UInt8(ascii: ":"))
            return unsafe end - start
        }
    }

    private mutating func quote(_ text: UnsafeBufferPointer<UInt8>) {
        let text = unsafe UnsafeBufferPointer(rebasing: text.prefix(Self.maximumTextLength))
        if unsafe text.isPlain { unsafe quotePlain(text) } else { unsafe quoteWithEscapes(text) }
    }

    private mutating func quotePlain(_ text: UnsafeBufferPointer<UInt8>) {
        unsafe append(upTo: text.count + 2) { start in
            var end = unsafe start
            unsafe end.put(UInt8(ascii: "\""))
            unsafe end.put(text)
            unsafe end.put(UInt8(ascii: "\""))
            return unsafe end - start
        }
    }

    private mutating func quote(_ domain: DomainName) {
        // A name of plain labels, as nearly all are, is its wire form with dots in place of the lengths.
        guard domain.isHostName, domain.wire.count > 1 else {
            var text = domain.description
            return text.withUTF8 { unsafe quote($0) }
        }
        let start = count
        unsafe domain.wire.withUnsafeBufferPointer { unsafe quotePlain(UnsafeBufferPointer(rebasing: $0.dropFirst())) }
        var length = Int(domain.wire[0])
        while length + 1 < domain.wire.count {
            room[start + 1 + length] = UInt8(ascii: ".")
            length += 1 + Int(domain.wire[length + 1])
        }
    }

    private mutating func quoteWithEscapes(_ text: UnsafeBufferPointer<UInt8>) {
        append(UInt8(ascii: "\""))
        for scalar in unsafe String(decoding: text, as: UTF8.self).unicodeScalars { append(scalar) }
        append(UInt8(ascii: "\""))
    }

    /// RFC 8259 § 7: quotation mark, reverse solidus and the control characters "MUST be escaped".
    private mutating func append(_ scalar: Unicode.Scalar) {
        guard scalar.value >= 0x20, scalar != "\"", scalar != "\\", scalar.value != 0x7F else {
            append("\\u00")
            for shift: UInt32 in [4, 0] { append(UInt8.hexDigit(scalar.value >> shift & 0xF)) }
            return
        }
        for octet in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { append(octet) }
    }
}

// MARK: Octets

extension JSONText {
    /// Makes room for so many octets, and writes as many of them behind the others as `write` says.
    private mutating func append(upTo most: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        let start = count
        if start + most > room.count { enlarge(for: most) }
        count += unsafe room.withUnsafeMutableBufferPointer { room in
            guard let base = room.baseAddress else { return 0 }
            return unsafe write(base + start)
        }
    }

    @inline(never)
    private mutating func enlarge(for more: Int) {
        room.append(contentsOf: repeatElement(0, count: max(more, room.count)))
    }

    private mutating func append(_ octet: UInt8) {
        unsafe append(upTo: 1) { end in
            unsafe end.pointee = octet
            return 1
        }
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { unsafe append($0) }
    }

    private mutating func append(_ octets: UnsafeBufferPointer<UInt8>) {
        unsafe append(upTo: octets.count) { start in
            var end = unsafe start
            unsafe end.put(octets)
            return unsafe end - start
        }
    }

    /// Writes the digits of a number, with a minus sign before those of a negative one.
    private mutating func append(_ number: Int, radix: UInt = 10) {
        if number < 0 { append(UInt8(ascii: "-")) }
        var (rest, length) = (number.magnitude / radix, 1)
        while rest > 0 { (rest, length) = (rest / radix, length + 1) }
        unsafe append(upTo: length) { start in
            var rest = number.magnitude
            for place in stride(from: length - 1, through: 0, by: -1) {
                unsafe start[place] = UInt8.hexDigit(UInt32(truncatingIfNeeded: rest % radix))
                rest /= radix
            }
            return length
        }
    }
}

extension UnsafeMutablePointer<UInt8> {
    /// Writes an octet, for which there is room, and goes on.
    fileprivate mutating func put(_ octet: UInt8) {
        unsafe pointee = octet
        unsafe self += 1
    }

    /// Writes octets, for which there is room, and goes on.
    fileprivate mutating func put(_ octets: UnsafeBufferPointer<UInt8>) {
        guard let source = octets.baseAddress else { return }
        unsafe update(from: source, count: octets.count)
        unsafe self += octets.count
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether a JSON text may have all octets as they are.
    fileprivate var isPlain: Bool {
        let octets = UnsafeRawBufferPointer(self)
        var start = 0
        while start + 8 <= count {
            guard unsafe octets.loadUnaligned(fromByteOffset: start, as: UInt64.self).isPlain else { return false }
            start += 8
        }
        // The rest, with spaces for what is not there.
        var rest: UInt64 = 0x2020_2020_2020_2020
        while start < count {
            rest = unsafe rest << 8 | UInt64(octets[start])
            start += 1
        }
        return rest.isPlain
    }
}

extension UInt64 {
    /// Whether each of the eight octets is printable US-ASCII, and neither a quotation mark nor a reverse solidus.
    ///
    /// In each step the highest bit of an octet says what holds of the octet, or of a lower one.
    fileprivate var isPlain: Bool {
        let isBelowSpace = (self &- 0x2020_2020_2020_2020) & ~self
        let isAboveTilde = (self &+ 0x0101_0101_0101_0101) | self
        let quote = self ^ 0x2222_2222_2222_2222
        let isQuote = (quote &- 0x0101_0101_0101_0101) & ~quote
        let solidus = self ^ 0x5C5C_5C5C_5C5C_5C5C
        let isSolidus = (solidus &- 0x0101_0101_0101_0101) & ~solidus
        return (isBelowSpace | isAboveTilde | isQuote | isSolidus) & 0x8080_8080_8080_8080 == 0
    }
}

extension UInt8 {
    fileprivate static func hexDigit(_ value: UInt32) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 10 ? 0x30 + value : 0x57 + value)
    }
}
