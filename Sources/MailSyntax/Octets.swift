/// Octets of protocol text: a view into a message, a record or a command, without a copy.
///
/// Mail and DNS text is not Unicode; every parser here works on octets.
public typealias Octets = ArraySlice<UInt8>

extension UInt8 {
    /// Horizontal tab (RFC 5234 appendix B.1, HTAB).
    @inlinable public static var tab: UInt8 { 0x09 }

    /// Line feed (RFC 5234 appendix B.1, LF).
    @inlinable public static var lf: UInt8 { 0x0A }

    /// Carriage return (RFC 5234 appendix B.1, CR).
    @inlinable public static var cr: UInt8 { 0x0D }

    /// Space (RFC 5234 appendix B.1, SP).
    @inlinable public static var space: UInt8 { 0x20 }

    /// Space or horizontal tab (RFC 5234 appendix B.1, WSP).
    public var isWSP: Bool { self == .space || self == .tab }

    /// `A` to `Z` or `a` to `z` (RFC 5234 appendix B.1, ALPHA).
    public var isAlpha: Bool { (self | 0x20) &- 0x61 < 26 }

    /// `0` to `9` (RFC 5234 appendix B.1, DIGIT).
    public var isDigit: Bool { self &- 0x30 < 10 }

    /// A printable US-ASCII character, without space (RFC 5234 appendix B.1, VCHAR).
    public var isVChar: Bool { self > 0x20 && self < 0x7F }

    /// The octet in lower case if it is `A` to `Z`, otherwise unchanged.
    public var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    /// The value of a hexadecimal digit; nil for any other octet.
    public var hexValue: UInt8? {
        switch self {
        case 0x30...0x39: self &- 0x30
        case 0x41...0x46: self &- 0x37
        case 0x61...0x66: self &- 0x57
        default: nil
        }
    }
}

extension Sequence<UInt8> {
    /// Whether all octets are US-ASCII.
    @inlinable public var isASCII: Bool {
        // In one piece where there is one: a string gives out its octets one by one otherwise.
        let known = withContiguousStorageIfAvailable { unsafe $0.allSatisfy { $0 < 0x80 } }
        return known ?? allSatisfy { $0 < 0x80 }
    }
}

extension [UInt8] {
    /// Appends the octets of a string's UTF-8 form.
    public mutating func append(_ text: String) {
        // In one call: appending the UTF-8 view would copy octet by octet.
        var text = text
        text.withUTF8 { unsafe append(contentsOf: $0) }
    }
}

extension ArraySlice<UInt8> {
    /// The octets of a string's UTF-8 form.
    public init(_ text: String) {
        self = [UInt8](text.utf8)[...]
    }

    /// The octets as text; sequences that are not UTF-8 become U+FFFD.
    public var text: String { String(decoding: self, as: UTF8.self) }

    /// The octets without leading and trailing space, tab, CR and LF.
    public var trimmed: Octets {
        let range = span.trimmed(0..<count)
        return self[startIndex + range.lowerBound..<startIndex + range.upperBound]
    }

    /// Whether these octets are equal to `other` when `A` to `Z` count as `a` to `z`.
    public func equalsIgnoringCase(_ other: StaticString) -> Bool {
        span.equalsIgnoringCase(other)
    }

    /// Whether these octets are equal to `other` when `A` to `Z` count as `a` to `z`.
    public func equalsIgnoringCase(_ other: Octets) -> Bool {
        span.equalsIgnoringCase(other.span)
    }
}

extension UnsafeRawBufferPointer {
    /// The octets without leading and trailing space, tab, CR and LF.
    public var trimmed: UnsafeRawBufferPointer {
        let range = unsafe Span<UInt8>(_bytes: RawSpan(_unsafeBytes: self)).trimmed(0..<count)
        return unsafe UnsafeRawBufferPointer(rebasing: self[range])
    }

    /// Whether these octets are equal to `other` when `A` to `Z` count as `a` to `z`.
    public func equalsIgnoringCase(_ other: StaticString) -> Bool {
        unsafe Span<UInt8>(_bytes: RawSpan(_unsafeBytes: self)).equalsIgnoringCase(other)
    }
}

extension Span<UInt8> {
    /// The range without space, tab, CR and LF at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, self[start].isFoldingWhiteSpace { start += 1 }
        while start < end, self[end - 1].isFoldingWhiteSpace { end -= 1 }
        return start..<end
    }

    func equalsIgnoringCase(_ other: StaticString) -> Bool {
        guard other.hasPointerRepresentation, count == other.utf8CodeUnitCount else { return false }
        return other.withUTF8Buffer { unsafe equalsIgnoringCase(Span(_unsafeElements: $0)) }
    }

    func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index].lowercased != other[index].lowercased { return false }
        return true
    }
}
