extension DomainName {
    /// Reads a name in the form that `description` writes: `\DDD` is the octet of that number, `.` alone the root
    /// (RFC 1035 § 5.1).
    public init(escaped text: Octets) throws(SyntaxError) {
        guard !text.elementsEqual(CollectionOfOne(UInt8(ascii: "."))) else {
            self = .root
            return
        }
        guard text.contains(UInt8(ascii: "\\")) else {
            try self.init(text)
            return
        }
        try self.init(labels: Self.labels(escaped: text))
    }

    private static func labels(escaped text: Octets) throws(SyntaxError) -> [Octets] {
        var labels = [Octets]()
        var label = Octets()
        var rest = text
        while let octet = rest.popFirst() {
            switch octet {
            case UInt8(ascii: "."):
                labels.append(label)
                label = []
            case UInt8(ascii: "\\"):
                label.append(try escapedOctet(rest.prefix(3)))
                rest = rest.dropFirst(3)
            default: label.append(octet)
            }
        }
        labels.append(label)
        return labels
    }

    /// The octet with a number of three digits.
    private static func escapedOctet(_ digits: Octets) throws(SyntaxError) -> UInt8 {
        guard digits.count == 3, digits.allSatisfy(\.isDigit) else { throw .notEscaped }
        let number = digits.reduce(0) { $0 * 10 + Int($1 &- 0x30) }
        guard let octet = UInt8(exactly: number) else { throw .notEscaped }
        return octet
    }
}
