internal import Glibc

/// The header fields of a message, in order, in one array of octets.
///
/// An MTA delivers field by field: a name, and a value that begins right after the colon. Line ends inside a value are
/// kept as CRLF whatever the MTA wrote (milters get LF), because the signer signed CRLF (RFC 5322 § 2.2.3).
public struct HeaderBlock: Sendable {
    /// The position of a field in the array.
    private struct Entry: Sendable {
        var start: Int
        /// The range of the name, without the white space around it.
        ///
        /// RFC 5322 § 4.5.8 allows white space before the colon in old mail. Some MTAs remove it, so the name here
        /// never includes it. Only DKIM's simple form needs it, and gets it from `HeaderField.label`.
        var name: Range<Int>
        var colon: Int
        var end: Int
    }

    private var storage: [UInt8] = []
    private var entries: [Entry] = []

    /// A block without fields.
    public init() {}

    /// A block without fields that has room for the fields of most messages, so that it need not be copied as it grows.
    public static func ofMessage() -> HeaderBlock {
        var block = HeaderBlock()
        block.storage.reserveCapacity(4096)
        block.entries.reserveCapacity(32)
        return block
    }

    /// The total length of names and values in octets.
    public var octetCount: Int { storage.count }

    /// Adds a field below the others.
    ///
    /// - Parameters:
    ///   - name: everything before the colon, as it is written.
    ///   - value: everything after the colon and before the field's last line end, leading space included.
    public mutating func append(name: some Sequence<UInt8>, value: some Sequence<UInt8>) {
        // Only the outermost call is generic: copying octet by octet through witness tables costs fifty times as much.
        let copied: Void?? = name.withContiguousStorageIfAvailable { name in
            value.withContiguousStorageIfAvailable { value in
                unsafe append(name: UnsafeRawBufferPointer(name), value: UnsafeRawBufferPointer(value))
            }
        }
        if case .some(.some) = copied { return }
        append(name: Array(name), value: Array(value))
    }

    /// Adds a field below the others; its octets lie in a packet.
    public mutating func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        let start = storage.count
        unsafe storage.append(contentsOf: name)
        let colon = storage.count
        let name = storage.span.trimmed(start..<colon)
        unsafe appendNormalized(value)
        entries.append(Entry(start: start, name: name, colon: colon, end: storage.count))
    }

    /// Appends `value` and writes each LF without a CR before it as CR LF; a lone CR is data.
    private mutating func appendNormalized(_ value: UnsafeRawBufferPointer) {
        guard let base = value.baseAddress else { return }
        var start = 0
        var index = 0
        // memchr reads only within the given length.
        while let found = unsafe memchr(base + index, Int32(UInt8.lf), value.count - index) {
            let lineFeed = unsafe UnsafeRawPointer(found) - base
            if unsafe lineFeed == 0 || value[lineFeed - 1] != .cr {
                unsafe storage.append(contentsOf: UnsafeRawBufferPointer(rebasing: value[start..<lineFeed]))
                storage.append(.cr)
                start = lineFeed
            }
            index = lineFeed + 1
        }
        unsafe storage.append(contentsOf: UnsafeRawBufferPointer(rebasing: value[start...]))
    }
}

extension HeaderBlock: RandomAccessCollection {
    /// The index of the topmost field.
    public var startIndex: Int { 0 }
    /// One past the index of the lowest field.
    public var endIndex: Int { entries.count }

    /// The field at a position, topmost first.
    public subscript(position: Int) -> HeaderField {
        let entry = entries[position]
        return HeaderField(
            label: storage[entry.start..<entry.colon],
            name: storage[entry.name],
            value: storage[entry.colon..<entry.end]
        )
    }
}

extension HeaderBlock {
    /// Whether the field at `position` has this name, without regard to case.
    ///
    /// Makes no view of the field.
    public func hasName(_ name: Octets, at position: Int) -> Bool {
        storage.span.extracting(entries[position].name).equalsIgnoringCase(name.span)
    }

    /// Whether the field at `position` has this name, without regard to case.
    ///
    /// Makes no view of the field.
    public func hasName(_ name: StaticString, at position: Int) -> Bool {
        let own = entries[position].name
        guard own.count == name.utf8CodeUnitCount else { return false }
        return storage.span.extracting(own).equalsIgnoringCase(name)
    }

    /// The name of the field at `position`.
    public func name(at position: Int) -> Octets { storage[entries[position].name] }

    /// The value of the field at `position`.
    public func value(at position: Int) -> Octets { storage[entries[position].colon..<entries[position].end] }

    /// The length in octets of the name of the field at `position`.
    public func nameLength(at position: Int) -> Int { entries[position].name.count }

    /// The first octet of the name of the field at `position`, in lower case; 0 for an empty name.
    ///
    /// Makes no view of the field.
    public func initial(at position: Int) -> UInt8 {
        let name = entries[position].name
        return name.isEmpty ? 0 : storage[name.lowerBound].lowercased
    }

    /// Whether a field is internationalized: it has UTF-8 beyond US-ASCII (RFC 6532 § 3.2).
    ///
    /// Older 8-bit text is not UTF-8.
    public var hasUTF8: Bool {
        guard !storage.isASCII else { return false }
        return entries.contains { entry in
            let field = storage[entry.start..<entry.end]
            return !field.isASCII && String(validating: field, as: UTF8.self) != nil
        }
    }

    /// The fields with this name, topmost first.
    public func fields(named name: StaticString) -> [HeaderField] {
        indices.lazy.filter { hasName(name, at: $0) }.map { self[$0] }
    }
}

/// One header field (RFC 5322 § 2.2): a view into its block.
public struct HeaderField: Sendable {
    /// The name, in the sender's spelling.
    public let name: Octets
    /// Everything before the colon: the name, and the white space that may follow it in old mail (RFC 5322 § 4.5.8).
    public let label: Octets
    /// Everything after the colon, leading space and folds (CRLF) included, without the last line end.
    public let value: Octets

    /// A field from the octets before and after its colon.
    public init(name label: Octets, value: Octets) {
        self.init(label: label, name: label.trimmed, value: value)
    }

    fileprivate init(label: Octets, name: Octets, value: Octets) {
        self.label = label
        self.name = name
        self.value = value
    }

    /// Whether the field has this name; names are compared without regard to case (RFC 5322 § 1.2.2).
    public func isNamed(_ name: StaticString) -> Bool {
        self.name.equalsIgnoringCase(name)
    }

    /// A copy of the field that owns its octets, so that the block may change.
    public var copy: HeaderField { copy(without: value.endIndex..<value.endIndex) }

    /// A copy of the field that owns its octets and lacks a part of the value.
    public func copy(without part: Range<Int>) -> HeaderField {
        var octets = [UInt8]()
        octets.reserveCapacity(label.count + value.count - part.count)
        octets.append(contentsOf: label)
        octets.append(contentsOf: value[..<part.lowerBound])
        octets.append(contentsOf: value[part.upperBound...])
        let start = name.startIndex - label.startIndex
        return HeaderField(
            label: octets[..<label.count],
            name: octets[start..<start + name.count],
            value: octets[label.count...]
        )
    }
}
