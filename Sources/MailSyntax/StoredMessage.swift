/// A message as it is stored in a file: header fields, an empty line, and a body.
public struct StoredMessage: Sendable {
    /// The header fields.
    public private(set) var headers = HeaderBlock()
    /// Everything after the empty line, with the line ends of the file.
    public let body: Octets

    /// Splits the octets of a file whose lines end in CRLF or LF.
    ///
    /// The `From ` line at the top of an mbox is skipped. A line that is neither a field nor a continuation ends the
    /// header and begins the body, as in MTAs.
    public init(_ octets: Octets) {
        var rest = octets
        if Self.beginsMailbox(rest) { rest = rest[Self.lineEnd(rest).next...] }
        while !rest.isEmpty {
            let field = Self.fieldEnd(rest)
            let text = rest[..<field.end]
            guard !text.isEmpty else {
                rest = rest[field.next...]
                break
            }
            guard let colon = text.firstIndex(of: UInt8(ascii: ":")), Self.isFieldName(text[..<colon]) else { break }
            headers.append(name: text[..<colon], value: text[(colon + 1)...])
            rest = rest[field.next...]
        }
        body = rest
    }

    /// Whether the text begins with the `From ` line of an mbox, not with a From field with space before its colon.
    private static func beginsMailbox(_ text: Octets) -> Bool {
        text.starts(with: Octets("From ")) && text.dropFirst(4).first { !$0.isWSP } != UInt8(ascii: ":")
    }

    /// RFC 5322 § 2.2: a name is printable US-ASCII; obsolete syntax (§ 4.5) allows white space before the colon.
    private static func isFieldName(_ name: Octets) -> Bool {
        let word = name.prefix(while: \.isVChar)
        return !word.isEmpty && name[word.endIndex...].allSatisfy(\.isWSP)
    }

    /// The end of the first line of `text`, and the beginning of the next line.
    private static func lineEnd(_ text: Octets) -> (end: Int, next: Int) {
        guard let lineFeed = text.firstIndex(of: .lf) else { return (text.endIndex, text.endIndex) }
        let hasCR = lineFeed > text.startIndex && text[lineFeed - 1] == .cr
        return (hasCR ? lineFeed - 1 : lineFeed, lineFeed + 1)
    }

    /// The same for the first field; continuation lines, which begin with white space, belong to it.
    private static func fieldEnd(_ text: Octets) -> (end: Int, next: Int) {
        var line = lineEnd(text)
        guard line.end > text.startIndex else { return line }
        while line.next < text.endIndex, text[line.next].isWSP {
            let next = lineEnd(text[line.next...])
            line = next
        }
        return line
    }
}
