public import MailSyntax

/// Canonicalizes header fields into one array of octets (RFC 6376 §§ 3.4.1 and 3.4.2).
public struct HeaderCanonicalizer {
    /// The canonical form to produce.
    public let canonicalization: Canonicalization
    /// The canonical form of the fields that were added.
    public private(set) var octets: [UInt8] = []

    /// A canonicalizer without fields; `capacity` is the expected number of octets.
    public init(_ canonicalization: Canonicalization, capacity: Int = 0) {
        self.canonicalization = canonicalization
        octets.reserveCapacity(capacity)
    }

    /// Adds a field and its line end.
    public mutating func append(_ field: HeaderField) {
        appendWithoutLineEnd(field)
        octets.append(.cr)
        octets.append(.lf)
    }

    /// Adds a field without a line end; this is how the signature's own field is hashed last (RFC 6376 § 3.7).
    public mutating func appendWithoutLineEnd(_ field: HeaderField) {
        switch canonicalization {
        case .simple:
            octets.append(contentsOf: field.label)
            octets.append(UInt8(ascii: ":"))
            octets.append(contentsOf: field.value)
        case .relaxed:
            // RFC 6376 § 3.4.2: "Convert all header field names ... to lowercase"; "Delete any WSP characters remaining
            // before and after the colon".
            appendLowercased(field.name)
            octets.append(UInt8(ascii: ":"))
            appendRelaxed(field.value)
        }
    }

    private mutating func appendLowercased(_ name: Octets) {
        let start = octets.count
        octets.append(contentsOf: name)
        var text = octets.mutableSpan
        for index in start..<text.count { text[index] = text[index].lowercased }
    }

    /// Adds a value without folds, with one space for each run of white space, and without white space at its ends.
    ///
    /// RFC 6376 § 3.4.2: "Convert all sequences of one or more WSP characters to a single SP character"; "Delete all
    /// WSP characters at the end of each unfolded header field value". A CR or LF outside a line end is data.
    private mutating func appendRelaxed(_ value: Octets) {
        let text = value.drop { $0.isWSP }
        let start = octets.count
        octets.append(contentsOf: text)
        var all = octets.mutableSpan
        let end = all.relax(from: start)
        octets.removeLast(octets.count - end)
    }
}

extension MutableSpan<UInt8> {
    /// Reduces white space and folds from `start` on; returns the end of the remaining text.
    ///
    /// The octet at `start` must not be white space.
    ///
    /// It works in place and octet by octet, so that text made only of white space takes no longer than other text.
    fileprivate mutating func relax(from start: Int) -> Int {
        var read = start
        // Most values have only single spaces, which stay where they are.
        while read < count, self[read] > 0x20 || self[read] == .space && read + 1 < count && self[read + 1] > 0x20 {
            read += 1
        }
        var write = read
        var hasSpace = false
        while read < count {
            let octet = self[read]
            read += 1
            if octet.isWSP {
                hasSpace = true
            } else if octet == .cr, read < count, self[read] == .lf {
                read += 1
            } else {
                if hasSpace, write > start {
                    self[write] = .space
                    write += 1
                }
                hasSpace = false
                self[write] = octet
                write += 1
            }
        }
        return write
    }
}
