internal import Glibc

/// A domain name as the DNS defines it: a sequence of labels, compared without regard to case.
///
/// The labels are kept in wire form (RFC 1035 § 3.1: a length octet before each label) and in lower case, so that two
/// spellings of a name are equal and hash alike. A label may hold any octet, because a macro in an SPF record can ask
/// for names that no host has. The root has no labels.
public struct DomainName: Hashable, Sendable {
    /// Why a text is not a domain name.
    public enum SyntaxError: Error, Hashable, Sendable {
        /// Two dots in a row, a leading dot, or no text at all.
        case emptyLabel
        /// A label of more than 63 octets (RFC 1035 § 2.3.4).
        case labelTooLong
        /// More than 255 octets in wire form, that is 253 as text (RFC 1035 § 2.3.4).
        case nameTooLong
        /// An internationalized name that IDNA 2008 does not allow.
        case notIDNA
        /// A name that the DNS allows but no host has.
        case notHost
        /// A backslash without the three digits of an octet's number behind it.
        case notEscaped
    }

    /// The labels in wire form, lower case, without the empty label of the root.
    public let wire: [UInt8]

    /// The name of the root of the DNS.
    public static let root = DomainName(uncheckedWire: [])

    /// Reads a name written with dots between its labels; one trailing dot is allowed.
    ///
    /// Octets outside US-ASCII are kept as they are; `init(unicode:)` converts them.
    public init(_ text: Octets) throws(SyntaxError) {
        let text = text.last == UInt8(ascii: ".") ? text.dropLast() : text
        guard !text.isEmpty else { throw .emptyLabel }
        // RFC 1035 § 2.3.4: 255 octets in all; the first length octet and the root's empty label take two of them.
        guard text.count <= 253 else { throw .nameTooLong }
        var wire = [UInt8]()
        wire.reserveCapacity(text.count + 1)
        wire.append(0)
        wire.append(contentsOf: text)
        try Self.writeLengths(&wire)
        self.wire = wire
    }

    /// Turns the dots before labels into their lengths, and letters into lower case.
    private static func writeLengths(_ wire: inout [UInt8]) throws(SyntaxError) {
        var octets = wire.mutableSpan
        var start = 0
        for index in 1...octets.count {
            guard index == octets.count || octets[index] == UInt8(ascii: ".") else {
                octets[index] = octets[index].lowercased
                continue
            }
            let length = index - start - 1
            guard length > 0 else { throw .emptyLabel }
            guard length <= 63 else { throw .labelTooLong }
            octets[start] = UInt8(truncatingIfNeeded: length)
            start = index
        }
    }

    /// Reads a name written with dots between its labels; one trailing dot is allowed.
    public init(_ text: String) throws(SyntaxError) {
        try self.init(Octets(text))
    }

    /// Builds a name from its labels, outermost last.
    public init(labels: some Sequence<Octets>) throws(SyntaxError) {
        var wire = [UInt8]()
        for label in labels { try Self.append(label, to: &wire) }
        self.wire = wire
    }

    /// Builds a name from the labels of several names, the outermost last.
    public init(joining names: DomainName...) throws(SyntaxError) {
        let count = names.reduce(0) { $0 + $1.wire.count }
        // RFC 1035 § 2.3.4: 255 octets in all; the root's empty label takes one of them.
        guard count <= 254 else { throw .nameTooLong }
        var wire = [UInt8]()
        wire.reserveCapacity(count)
        for name in names { wire.append(contentsOf: name.wire) }
        self.wire = wire
    }

    /// Reads a name in wire form (a length octet before each label, no compression), with or without the root's label.
    public init(wire octets: Octets) throws(SyntaxError) {
        var wire = [UInt8]()
        wire.reserveCapacity(octets.count)
        var rest = octets
        while let length = rest.popFirst(), length > 0 {
            guard rest.count >= Int(length) else { throw .emptyLabel }
            try Self.append(rest.prefix(Int(length)), to: &wire)
            rest = rest.dropFirst(Int(length))
        }
        self.wire = wire
    }

    /// Takes octets that are known to be a name in wire form and lower case.
    init(uncheckedWire wire: [UInt8]) {
        self.wire = wire
    }

    /// Hashes all octets in one call, because every table uses names as keys.
    public func hash(into hasher: inout Hasher) {
        unsafe wire.withUnsafeBytes { octets in unsafe hasher.combine(bytes: octets) }
    }

    /// Compares all octets in one call, for the same reason.
    public static func == (one: DomainName, other: DomainName) -> Bool {
        one.wire.count == other.wire.count && one.wire.hasSuffix(other.wire)
    }

    private static func append(_ label: Octets, to wire: inout [UInt8]) throws(SyntaxError) {
        guard !label.isEmpty else { throw .emptyLabel }
        guard label.count <= 63 else { throw .labelTooLong }
        // RFC 1035 § 2.3.4: 255 octets in all; the root's empty label takes one of them.
        guard wire.count + 1 + label.count <= 254 else { throw .nameTooLong }
        wire.append(UInt8(truncatingIfNeeded: label.count))
        for octet in label { wire.append(octet.lowercased) }
    }

    /// The labels, outermost last.
    public var labels: [Octets] {
        var labels = [Octets]()
        var rest = wire[...]
        while let length = rest.first {
            labels.append(rest.dropFirst().prefix(Int(length)))
            rest = rest.dropFirst(1 + Int(length))
        }
        return labels
    }

    /// The number of labels; 0 for the root.
    public var labelCount: Int {
        var count = 0
        var index = 0
        while index < wire.count {
            index += 1 + Int(wire[index])
            count += 1
        }
        return count
    }

    /// The name without its first label; nil for the root.
    public var parent: DomainName? {
        guard let length = wire.first else { return nil }
        return DomainName(uncheckedWire: Array(wire.dropFirst(1 + Int(length))))
    }

    /// The name with one more label in front of it.
    public func child(_ label: Octets) throws(SyntaxError) -> DomainName {
        var wire = [UInt8]()
        wire.reserveCapacity(1 + label.count + self.wire.count)
        try Self.append(label, to: &wire)
        guard wire.count + self.wire.count <= 254 else { throw .nameTooLong }
        wire.append(contentsOf: self.wire)
        return DomainName(uncheckedWire: wire)
    }

    /// The last `count` labels; the whole name when it has fewer.
    public func suffix(_ count: Int) -> DomainName {
        var name = wire[...]
        for _ in 0..<max(0, labelCount - count) {
            guard let length = name.first else { break }
            name = name.dropFirst(1 + Int(length))
        }
        return DomainName(uncheckedWire: Array(name))
    }

    /// Whether this name is `other` or lies below it.
    public func isEqualOrSubdomain(of other: DomainName) -> Bool {
        guard wire.count >= other.wire.count else { return false }
        let start = wire.count - other.wire.count
        var index = 0
        while index < start { index += 1 + Int(wire[index]) }
        return index == start && wire.hasSuffix(other.wire)
    }

    /// Whether this name lies below `other`.
    public func isSubdomain(of other: DomainName) -> Bool {
        wire.count > other.wire.count && isEqualOrSubdomain(of: other)
    }

    /// Whether every label consists of letters, digits, hyphens and underscores, with no hyphen at either end.
    public var isHostName: Bool {
        let octets = wire.span
        var index = 0
        while index < octets.count {
            let label = index + 1..<index + 1 + Int(octets[index])
            guard octets[label.lowerBound] != UInt8(ascii: "-"), octets[label.upperBound - 1] != UInt8(ascii: "-")
            else {
                return false
            }
            for index in label where !octets[index].isHostCharacter { return false }
            index = label.upperBound
        }
        return !octets.isEmpty
    }
}

extension UInt8 {
    /// A letter, a digit, a hyphen or an underscore.
    fileprivate var isHostCharacter: Bool {
        isAlpha || isDigit || self == UInt8(ascii: "-") || self == UInt8(ascii: "_")
    }
}

extension DomainName: CustomStringConvertible {
    /// The name as text, without a trailing dot; `.` for the root.
    ///
    /// A dot, a backslash, or an octet that is not printable US-ASCII is written `\DDD` (RFC 1035 § 5.1).
    public var description: String {
        guard !wire.isEmpty else { return "." }
        var text = [UInt8]()
        text.reserveCapacity(wire.count)
        var labelEnd = 0
        for (index, octet) in wire.enumerated() {
            if index == labelEnd {
                // This octet is the length of a label.
                labelEnd += 1 + Int(octet)
                if index > 0 { text.append(UInt8(ascii: ".")) }
            } else {
                if octet.isVChar, octet != UInt8(ascii: "."), octet != UInt8(ascii: "\\") {
                    text.append(octet)
                } else {
                    text.append(UInt8(ascii: "\\"))
                    for divisor: UInt8 in [100, 10, 1] { text.append(0x30 + octet / divisor % 10) }
                }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Whether these octets end with those, compared in one call.
    fileprivate func hasSuffix(_ suffix: [UInt8]) -> Bool {
        unsafe withUnsafeBytes { octets in
            unsafe suffix.withUnsafeBytes { suffix in
                guard let octets = octets.baseAddress, let other = suffix.baseAddress else {
                    return unsafe suffix.isEmpty
                }
                guard count >= suffix.count else { return false }
                return unsafe memcmp(octets + count - suffix.count, other, suffix.count) == 0
            }
        }
    }
}
