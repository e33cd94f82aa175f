internal import MailSyntax

/// An object with a line end that is being written, member by member.
///
/// It writes through pointers into the room of a `JSONText`, and where this is too small, into room of its own: an event
/// has a hundred members, and a check for each octet would cost more than all else.
@safe struct JSONLine: ~Copyable {
    /// The most octets of a text that are written.
    static let maximumTextLength = 2048

    /// The room.
    private var start: UnsafeMutablePointer<UInt8>
    /// Behind what is written so far.
    private var end: UnsafeMutablePointer<UInt8>
    /// The end of the room.
    private var limit: UnsafeMutablePointer<UInt8>
    /// Whether the room is the line's own.
    private var isOwner = false
    /// Whether the next member or element is the first.
    private var isFirst = true

    /// A line in room that holds as long as the line does.
    @unsafe init(_ room: UnsafeMutableBufferPointer<UInt8>) {
        if let base = room.baseAddress {
            unsafe start = base
            unsafe limit = base + room.count
        } else {
            unsafe start = .allocate(capacity: 64)
            unsafe start.initialize(repeating: 0, count: 64)
            unsafe limit = start + 64
            isOwner = true
        }
        unsafe end = start
    }

    deinit {
        if isOwner { unsafe start.deallocate() }
    }

    /// How many octets are written so far.
    var count: Int { unsafe end - start }

    /// A copy of what is written with room for more, where the room at the beginning was too small.
    var ownRoom: [UInt8]? {
        guard isOwner else { return nil }
        return unsafe [UInt8](UnsafeBufferPointer(start: start, count: limit - start))
    }

    /// Writes the line end.
    mutating func lineEnd() { append(UInt8(ascii: "\n")) }

    /// Writes an object, as a member or as an element.
    mutating func object(_ name: StaticString? = nil, _ members: (inout JSONLine) -> Void) {
        open(name, UInt8(ascii: "{"))
        members(&self)
        close(UInt8(ascii: "}"))
    }

    /// Writes an array, as a member or as an element.
    mutating func array(_ name: StaticString? = nil, _ elements: (inout JSONLine) -> Void) {
        open(name, UInt8(ascii: "["))
        elements(&self)
        close(UInt8(ascii: "]"))
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
    mutating func add(_ name: StaticString, _ text: consuming String?) {
        guard let text = consume text else { return null(name) }
        key(name)
        quote(text)
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
        append(hexadecimal: number)
        append(UInt8(ascii: "\""))
    }

    /// Writes a number with three decimals, given in thousandths.
    mutating func add(_ name: StaticString, thousandths number: Int64) {
        key(name)
        let rest = number % 1000
        append(Int(number / 1000))
        append(UInt8(ascii: "."))
        append(0x30 + UInt8(truncatingIfNeeded: rest / 100 % 10))
        append(0x30 + UInt8(truncatingIfNeeded: rest / 10 % 10))
        append(0x30 + UInt8(truncatingIfNeeded: rest % 10))
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
    mutating func element(_ text: consuming String) {
        separate()
        quote(text)
    }

    /// Writes octets as an element.
    mutating func element(octets text: Octets) {
        separate()
        unsafe text.withUnsafeBufferPointer { unsafe quote($0) }
    }

    private mutating func open(_ name: StaticString?, _ bracket: UInt8) {
        if let name { key(name) } else { separate() }
        append(bracket)
        isFirst = true
    }

    private mutating func close(_ bracket: UInt8) {
        append(bracket)
        isFirst = false
    }

    /// Writes the comma before a member or an element that is not the first.
    private mutating func separate() {
        if !isFirst { append(UInt8(ascii: ",")) }
        isFirst = false
    }
}

// MARK: Octets

extension JSONLine {
    /// Sees to it that there is room for so many octets more.
    @inline(__always)
    private mutating func reserve(_ most: Int) {
        if unsafe limit - end < most { enlarge(for: most) }
    }

    @inline(never)
    private mutating func enlarge(for more: Int) {
        let (written, size) = unsafe (count, limit - start)
        let larger = size + max(more, size)
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        unsafe room.initialize(repeating: 0, count: larger)
        unsafe room.update(from: start, count: written)
        if isOwner { unsafe start.deallocate() }
        unsafe start = room
        unsafe end = room + written
        unsafe limit = room + larger
        isOwner = true
    }

    private mutating func append(_ octet: UInt8) {
        reserve(1)
        unsafe end.put(octet)
    }

    private mutating func append(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        reserve(length)
        unsafe end.copy(text.utf8Start, length)
        unsafe end += length
    }

    /// Writes the comma, the name and the colon of a member in one go.
    @inline(__always)
    private mutating func key(_ name: StaticString) {
        let length = name.utf8CodeUnitCount
        reserve(length + 4)
        if !isFirst { unsafe end.put(UInt8(ascii: ",")) }
        isFirst = false
        unsafe end.put(UInt8(ascii: "\""))
        unsafe end.copy(name.utf8Start, length)
        unsafe end += length
        unsafe end.put(UInt8(ascii: "\""))
        unsafe end.put(UInt8(ascii: ":"))
    }

    /// Writes the digits of a number, with a minus sign before those of a negative one.
    private mutating func append(_ number: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        var (rest, length) = (number.magnitude / 10, 1)
        while rest > 0 { (rest, length) = (rest / 10, length + 1) }
        reserve(length)
        rest = number.magnitude
        for place in stride(from: length - 1, through: 0, by: -1) {
            unsafe end[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        unsafe end += length
    }

    /// Writes the hexadecimal digits of a number, with a minus sign before those of a negative one.
    private mutating func append(hexadecimal number: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        let digits = max((67 - number.magnitude.leadingZeroBitCount) / 4, 1)
        for place in stride(from: digits - 1, through: 0, by: -1) {
            append(UInt8.hexDigit(UInt32(truncatingIfNeeded: number.magnitude >> UInt(4 * place) & 0xF)))
        }
    }
}

// MARK: Texts

extension JSONLine {
    /// Nearly every text is made for the line, and so is its own to consume.
    @inline(__always)
    private mutating func quote(_ text: consuming String) {
        text.withUTF8 { unsafe quote($0) }
    }

    private mutating func quote(_ text: UnsafeBufferPointer<UInt8>) {
        let length = min(text.count, Self.maximumTextLength)
        reserve(length + 2)
        if let source = text.baseAddress {
            guard unsafe (end + 1).copy(source, length).isPlain else {
                return unsafe quoteWithEscapes(UnsafeBufferPointer(rebasing: text[..<length]))
            }
        }
        closeQuotes(around: length)
    }

    /// Puts quotation marks around octets that are written behind a place for the first.
    @inline(__always)
    private mutating func closeQuotes(around length: Int) {
        unsafe end.put(UInt8(ascii: "\""))
        unsafe end += length
        unsafe end.put(UInt8(ascii: "\""))
    }

    private mutating func quote(_ domain: DomainName) {
        // A name of plain labels, as nearly all are, is its wire form with dots in place of the lengths.
        let length = domain.wire.count - 1
        reserve(max(length, 0) + 2)
        let isPlain = unsafe domain.wire.withUnsafeBufferPointer { wire in
            guard length > 0, let source = wire.baseAddress else { return false }
            let text = unsafe end + 1
            unsafe text.copy(source + 1, length)
            // What is no length has to be plain; letters stand for the lengths.
            unsafe text.mark(wire, UInt8(ascii: "a"))
            guard unsafe text.copy(text, length).isPlainLabel else { return false }
            unsafe text.mark(wire, UInt8(ascii: "."))
            return true
        }
        if isPlain { closeQuotes(around: length) } else { quote(domain.description) }
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

extension UInt8 {
    fileprivate static func hexDigit(_ value: UInt32) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 10 ? 0x30 + value : 0x57 + value)
    }
}
