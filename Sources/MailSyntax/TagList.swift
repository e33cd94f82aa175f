/// A tag-list: the `name=value; name=value` text of DKIM signatures, key records and DMARC records (RFC 6376 § 3.2).
///
/// The tags keep their order, and each value is a view into the text. What a value means is left to its reader, for
/// names and values follow rules of their own; names are compared with regard to case.
public struct TagList: Sendable {
    /// Why a text is no tag-list.
    public enum SyntaxError: Error, Hashable, Sendable {
        /// More tags than are read.
        case tooManyTags
        /// A tag without `=`, or nothing between two semicolons.
        case missingEqualsSign
        /// A name that is empty, or does not consist of a letter and letters, digits and underscores.
        case invalidName
        /// A value with a control character, or a fold that is none.
        case invalidValue
        /// A second tag of this name.
        case duplicate(String)
    }

    /// One tag.
    public struct Tag: Sendable {
        /// The name, in the sender's spelling.
        public let name: Octets
        /// The value without white space at its ends; inside, white space and folds are as they were sent.
        public let value: Octets
    }

    /// How many tags are read at most; no protocol defines more than a quarter of them.
    public static let maximumTags = 64

    /// The tags, in their order.
    public let tags: [Tag]

    /// Reads a tag-list; white space after the last semicolon is no tag.
    ///
    /// Octets from 0x80 up are let through in values: RFC 8616 § 4 allows them in names and in quoted-printable text.
    public init(_ text: Octets) throws(SyntaxError) {
        var tags = [Tag]()
        var rest = text
        while true {
            let end = rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.endIndex
            let isLast = end == rest.endIndex
            let spec = rest[rest.startIndex..<end]
            // RFC 6376 § 3.2: tag-list = tag-spec *( ";" tag-spec ) [ ";" ]
            if isLast, !tags.isEmpty, spec.trimmed.isEmpty { break }
            guard tags.count < Self.maximumTags else { throw .tooManyTags }
            let tag = try Self.tag(spec)
            // RFC 6376 § 3.2: "Tags with duplicate names MUST NOT occur within a single tag-list; if a tag name does
            // occur more than once, the entire tag-list is invalid."
            guard !tags.contains(where: { $0.name == tag.name }) else { throw .duplicate(tag.name.text) }
            tags.append(tag)
            if isLast { break }
            rest = rest[(end + 1)...]
        }
        self.tags = tags
    }

    /// Reads `[FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]`.
    private static func tag(_ spec: Octets) throws(SyntaxError) -> Tag {
        guard let equals = spec.firstIndex(of: UInt8(ascii: "=")) else { throw .missingEqualsSign }
        try checkFolds(spec)
        let name = spec[..<equals].trimmed
        // RFC 6376 § 3.2: tag-name = ALPHA *ALNUMPUNC
        guard let first = name.first, first.isAlpha,
            name.allSatisfy({ $0.isAlpha || $0.isDigit || $0 == UInt8(ascii: "_") })
        else { throw .invalidName }
        return Tag(name: name, value: spec[(equals + 1)...].trimmed)
    }

    /// Checks that there are only printable characters, white space, and line ends that white space follows.
    private static func checkFolds(_ spec: Octets) throws(SyntaxError) {
        var index = spec.startIndex
        while index < spec.endIndex {
            let octet = spec[index]
            index += 1
            if octet > 0x20 && octet != 0x7F || octet.isWSP { continue }
            // RFC 6376 § 2.8: FWS = [*WSP CRLF] 1*WSP; a line end at the very end is followed by nothing to fold.
            guard octet == 0x0D, index < spec.endIndex, spec[index] == 0x0A else { throw .invalidValue }
            index += 1
            guard index == spec.endIndex || spec[index].isWSP else { throw .invalidValue }
        }
    }

    /// The value of the tag of this name; nil when there is none.
    public subscript(_ name: StaticString) -> Octets? {
        guard name.hasPointerRepresentation else { return nil }
        return name.withUTF8Buffer { wanted in
            tags.first { unsafe $0.name.elementsEqual(wanted) }?.value
        }
    }
}

extension ArraySlice<UInt8> {
    /// The octets without any space, tab, CR and LF, as base64 and colon-separated lists want it; a view when there are none.
    public var withoutWhiteSpace: Octets {
        guard contains(where: { $0.isFoldingWhiteSpace }) else { return self }
        return filter { !$0.isFoldingWhiteSpace }[...]
    }
}

extension UInt8 {
    /// Space, tab, CR or LF.
    @inlinable var isFoldingWhiteSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0D || self == 0x0A }
}
