internal import MailSyntax

/// An object with a line end that is being written, member by member.
///
/// It writes through pointers into the room of a `JSONText`, and where this is too small, into room of its own: an event
/// has a hundred members, and a check for each octet would cost more than all else. A comma follows each value at once, and
/// the bracket that closes an array or an object takes the place of the last one.
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

    /// Writes the line end behind the only value, in place of its comma.
    mutating func lineEnd() { unsafe end[-1] = UInt8(ascii: "\n") }

    /// Writes an object, as a member or as an element.
    @inline(__always)
    mutating func object(_ name: StaticString? = nil, _ members: (inout JSONLine) -> Void) {
        open(name, UInt8(ascii: "{"))
        members(&self)
        close(UInt8(ascii: "}"))
    }

    /// Writes an array, as a member or as an element.
    @inline(__always)
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
            for domain in domains { array.element(domain) }
        }
    }

    /// Writes an array of numbers.
    mutating func array(_ name: StaticString, _ numbers: some Sequence<Int>) {
        array(name) { array in
            for number in numbers {
                array.reserve(Self.numberRoom)
                array.put(number)
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
        quote(text)
    }

    /// Writes an address, or null.
    mutating func add(_ name: StaticString, address: IPAddress?) {
        guard case .v4(let address)? = address else { return add(name, address?.description) }
        key(name, Self.numberRoom)
        put("\"")
        for shift: UInt32 in [24, 16, 8, 0] {
            put(Int(address.value >> shift & 0xFF))
            unsafe end[-1] = UInt8(ascii: ".")
        }
        unsafe end[-1] = UInt8(ascii: "\"")
        put(",")
    }

    /// Writes a number, or null.
    mutating func add(_ name: StaticString, _ number: Int?) {
        guard let number else { return null(name) }
        key(name, Self.numberRoom)
        put(number)
    }

    /// Writes a number as a text of hexadecimal digits.
    mutating func add(_ name: StaticString, hexadecimal number: Int) {
        key(name, Self.numberRoom)
        put(number < 0 ? "\"-" : "\"")
        let digits = max((67 - number.magnitude.leadingZeroBitCount) / 4, 1)
        for place in stride(from: digits - 1, through: 0, by: -1) {
            unsafe end.put(.hexDigit(UInt32(truncatingIfNeeded: number.magnitude >> UInt(4 * place) & 0xF)))
        }
        put("\",")
    }

    /// Writes a number with three decimals, given in thousandths.
    mutating func add(_ name: StaticString, thousandths number: Int64) {
        key(name, Self.numberRoom + 4)
        let rest = number % 1000
        put(Int(number / 1000))
        unsafe end[-1] = UInt8(ascii: ".")
        unsafe end.put(0x30 + UInt8(truncatingIfNeeded: rest / 100 % 10))
        unsafe end.put(0x30 + UInt8(truncatingIfNeeded: rest / 10 % 10))
        unsafe end.put(0x30 + UInt8(truncatingIfNeeded: rest % 10))
        put(",")
    }

    /// Writes true or false.
    mutating func add(_ name: StaticString, _ flag: Bool) {
        key(name, 6)
        if flag { put("true,") } else { put("false,") }
    }

    /// Writes null.
    mutating func null(_ name: StaticString) {
        key(name, 5)
        put("null,")
    }

    /// Writes a text as an element.
    mutating func element(_ text: consuming String) { quote(text) }

    /// Writes a domain name as an element.
    mutating func element(_ domain: DomainName) { quote(domain) }

    /// Writes octets as an element.
    mutating func element(octets text: Octets) { quote(text) }

    private mutating func open(_ name: StaticString?, _ bracket: UInt8) {
        if let name { key(name, 1) } else { reserve(1) }
        unsafe end.put(bracket)
    }

    private mutating func close(_ bracket: UInt8) {
        reserve(2)
        if unsafe end[-1] == UInt8(ascii: ",") { unsafe end -= 1 }
        unsafe end.put(bracket)
        put(",")
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

    /// The most octets of a number between quotation marks, with its sign and its comma.
    private static let numberRoom = 24

    /// Writes a text for which there is room.
    @inline(__always)
    private mutating func put(_ text: StaticString) {
        unsafe end.copy(text.utf8Start, text.utf8CodeUnitCount)
        unsafe end += text.utf8CodeUnitCount
    }

    /// Writes the name and the colon of a member, and sees to it that there is room for so many octets more.
    @inline(__always)
    private mutating func key(_ name: StaticString, _ more: Int = 0) {
        reserve(name.utf8CodeUnitCount &+ 3 &+ more)
        put("\"")
        put(name)
        put("\":")
    }

    /// Writes the digits of a number for which there is room, with a minus sign before those of a negative one.
    private mutating func put(_ number: Int) {
        if number < 0 { put("-") }
        var (rest, length) = (number.magnitude / 10, 1)
        while rest > 0 { (rest, length) = (rest / 10, length + 1) }
        rest = number.magnitude
        for place in stride(from: length - 1, through: 0, by: -1) {
            unsafe end[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        unsafe end += length
        put(",")
    }
}

// MARK: Texts

extension JSONLine {
    /// Nearly every text is made for the line, and so is its own to consume.
    @inline(__always)
    private mutating func quote(_ text: consuming String) {
        text.withUTF8 { unsafe quote($0) }
    }

    @inline(__always)
    private mutating func quote(_ text: Octets) {
        unsafe text.span.withUnsafeBufferPointer { unsafe quote($0) }
    }

    private mutating func quote(_ text: UnsafeBufferPointer<UInt8>) {
        let length = min(text.count, Self.maximumTextLength)
        reserve(length + 3)
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
        put("\"")
        unsafe end += length
        put("\",")
    }

    private mutating func quote(_ domain: DomainName) {
        // A name of plain labels, as nearly all are, is written as it is.
        let length = domain.wire.count
        reserve(length + 3)
        let isPlain = unsafe domain.wire.withUnsafeBufferPointer { wire in
            guard length > 0, var label = wire.baseAddress else { return false }
            var (text, isPlain) = unsafe (end + 1, true)
            while unsafe text <= end + length {
                let count = unsafe Int(label.pointee)
                unsafe isPlain = text.copy(label + 1, count).isPlainLabel && isPlain
                unsafe label += 1 + count
                unsafe text += count
                unsafe text.put(UInt8(ascii: "."))
            }
            return isPlain
        }
        // The last dot becomes the quotation mark.
        if isPlain { closeQuotes(around: length - 1) } else { quote(domain.description) }
    }

    private mutating func quoteWithEscapes(_ text: UnsafeBufferPointer<UInt8>) {
        reserve(1)
        put("\"")
        for scalar in unsafe String(decoding: text, as: UTF8.self).unicodeScalars { append(scalar) }
        reserve(2)
        put("\",")
    }

    /// RFC 8259 § 7: quotation mark, reverse solidus and the control characters "MUST be escaped".
    private mutating func append(_ scalar: Unicode.Scalar) {
        reserve(6)
        guard scalar.value >= 0x20, scalar != "\"", scalar != "\\", scalar.value != 0x7F else {
            put("\\u00")
            for shift: UInt32 in [4, 0] { unsafe end.put(.hexDigit(scalar.value >> shift & 0xF)) }
            return
        }
        for octet in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { unsafe end.put(octet) }
    }
}

extension UInt8 {
    fileprivate static func hexDigit(_ value: UInt32) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 10 ? 0x30 + value : 0x57 + value)
    }
}
