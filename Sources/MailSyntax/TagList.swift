/// A tag-list: the `name=value; name=value` text of DKIM signatures, key records and DMARC records (RFC 6376 § 3.2).
///
/// The tags keep their order, and each value is a view into the text. The caller interprets the values, because names
/// and values follow rules of their own. Names are compared with regard to case.
public struct TagList: Sendable {
    /// Why a text is not a tag-list.
    public enum SyntaxError: Error, Hashable, Sendable {
        /// More tags than the limit.
        case tooManyTags
        /// A tag without `=`, or nothing between two semicolons.
        case missingEqualsSign
        /// A name that is empty, or is not a letter followed by letters, digits and underscores.
        case invalidName
        /// A value with a control character or an invalid fold.
        case invalidValue
        /// A second tag of this name.
        case duplicate(String)
    }

    /// One tag.
    public struct Tag: Sendable {
        /// The name, in the sender's spelling.
        public let name: Octets
        /// The value without white space at its ends; white space and folds inside it are unchanged.
        public let value: Octets
    }

    /// The most tags that are read; no protocol defines more than a quarter of them.
    public static let maximumTags = 64

    /// The position of a tag, counted from the beginning of the text.
    private struct Entry: Sendable {
        var name: Range<Int>
        var value: Range<Int>
    }

    private let text: Octets
    private let entries: [Entry]

    /// The tags, in their order.
    public var tags: [Tag] { entries.map(tag) }

    /// The first tag.
    public var first: Tag? { entries.first.map(tag) }

    private func tag(_ entry: Entry) -> Tag { Tag(name: text.part(entry.name), value: text.part(entry.value)) }

    /// Reads a tag-list; white space after the last semicolon is not a tag.
    ///
    /// Values may contain octets from 0x80 up: RFC 8616 § 4 allows them in names and in quoted-printable text.
    ///
    /// - Parameters:
    ///   - text: the text of the list.
    ///   - skippingEmpty: whether an empty tag between two semicolons is ignored; otherwise it is an error.
    public init(_ text: Octets, skippingEmpty: Bool = false) throws(SyntaxError) {
        var entries = [Entry]()
        entries.reserveCapacity(12)
        let octets = text.span
        var start = 0
        while true {
            let spec = Spec(octets, from: start)
            let isLast = spec.end == octets.count
            // RFC 6376 § 3.2: tag-list = tag-spec *( ";" tag-spec ) [ ";" ]
            if isLast || skippingEmpty, skippingEmpty || !entries.isEmpty, octets.trimmed(start..<spec.end).isEmpty {
                if isLast { break }
                start = spec.end + 1
                continue
            }
            guard entries.count < Self.maximumTags else { throw .tooManyTags }
            guard let equals = spec.equals else { throw .missingEqualsSign }
            guard spec.isValid else { throw .invalidValue }
            let name = octets.trimmed(start..<equals)
            guard octets.isTagName(name) else { throw .invalidName }
            // RFC 6376 § 3.2: "Tags with duplicate names MUST NOT occur within a single tag-list; if a tag name does
            // occur more than once, the entire tag-list is invalid."
            for entry in entries where octets.areEqual(entry.name, name) { throw .duplicate(text.part(name).text) }
            entries.append(Entry(name: name, value: octets.trimmed(equals + 1..<spec.end)))
            if isLast { break }
            start = spec.end + 1
        }
        self.text = text
        self.entries = entries
    }

    /// The result of scanning `[FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]` once.
    private struct Spec {
        /// The position of the semicolon, or the end of the text.
        private(set) var end: Int
        /// The position of the first `=`.
        private(set) var equals: Int?
        /// Whether all characters are printable, white space, or line ends followed by white space.
        private(set) var isValid = true

        // Not inlined: in the loop above it would have to share the registers.
        @inline(never)
        init(_ octets: Span<UInt8>, from start: Int) {
            end = start
            while end < octets.count {
                let octet = octets[end]
                // A quick path, because most octets are letters and digits.
                if octet > 0x3D, octet != 0x7F {
                    end += 1
                    continue
                }
                if octet == UInt8(ascii: ";") { break }
                if octet == UInt8(ascii: "="), equals == nil { equals = end }
                end += 1
                if octet > 0x20 && octet != 0x7F || octet.isWSP { continue }
                // RFC 6376 § 2.8: FWS = [*WSP CRLF] 1*WSP; a line end at the very end is no fold.
                guard octet == .cr, end < octets.count, octets[end] == .lf else {
                    isValid = false
                    continue
                }
                end += 1
                if end < octets.count, octets[end] != UInt8(ascii: ";"), !octets[end].isWSP { isValid = false }
            }
        }
    }

    /// The value of the tag with this name; nil when there is none.
    public subscript(_ name: StaticString) -> Octets? {
        guard name.hasPointerRepresentation else { return nil }
        return name.withUTF8Buffer { wanted in
            let octets = text.span
            for entry in entries where entry.name.count == wanted.count {
                var matched = 0
                while matched < wanted.count, unsafe octets[entry.name.lowerBound + matched] == wanted[matched] {
                    matched += 1
                }
                if matched == wanted.count { return text.part(entry.value) }
            }
            return nil
        }
    }
}

extension Span<UInt8> {
    /// Whether the range is a valid tag name.
    fileprivate func isTagName(_ range: Range<Int>) -> Bool {
        // RFC 6376 § 3.2: tag-name = ALPHA *ALNUMPUNC
        guard let first = range.first, self[first].isAlpha else { return false }
        for index in range
        where !(self[index].isAlpha || self[index].isDigit || self[index] == UInt8(ascii: "_")) {
            return false
        }
        return true
    }

    fileprivate func areEqual(_ range: Range<Int>, _ other: Range<Int>) -> Bool {
        guard range.count == other.count else { return false }
        for (left, right) in zip(range, other) where self[left] != self[right] { return false }
        return true
    }
}

extension ArraySlice<UInt8> {
    /// The octets at a range that is counted from the first octet.
    fileprivate func part(_ range: Range<Int>) -> Octets {
        self[startIndex + range.lowerBound..<startIndex + range.upperBound]
    }

    /// The octets without space, tab, CR and LF, as base64 and colon-separated lists need it; a view if none.
    public var withoutWhiteSpace: Octets {
        let octets = span
        guard var space = octets.indices.first(where: { octets[$0].isFoldingWhiteSpace }) else { return self }
        var output = [UInt8]()
        output.reserveCapacity(octets.count)
        var start = 0
        while true {
            output.append(contentsOf: part(start..<space))
            start = space
            while start < octets.count, octets[start].isFoldingWhiteSpace { start += 1 }
            guard start < octets.count else { return output[...] }
            space = start
            while space < octets.count, !octets[space].isFoldingWhiteSpace { space += 1 }
        }
    }
}

extension UInt8 {
    /// Space, tab, CR or LF.
    @inlinable var isFoldingWhiteSpace: Bool { self == .space || self == .tab || self == .cr || self == .lf }
}
