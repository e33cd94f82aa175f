/// The argument of MAIL or RCPT (RFC 5321 § 4.1.2, Path).
public struct SMTPPath {
    /// The mailbox without angle brackets and source route; empty for the null reverse-path.
    public let mailbox: Octets

    /// Reads a path in the form that the MTA passes on, with or without its brackets.
    public init(_ text: Octets) {
        var path = text.trimmed
        if path.first == UInt8(ascii: "<"), path.last == UInt8(ascii: ">") { path = path.dropFirst().dropLast() }
        // RFC 5321 § 4.1.2, A-d-l: a source route must be accepted, and should be ignored.
        if path.first == UInt8(ascii: "@"), let colon = path.firstIndex(of: UInt8(ascii: ":")) {
            path = path[(colon + 1)...]
        }
        mailbox = path
    }

    /// The SUBMITTER parameter among ESMTP parameters, as it was sent (RFC 4405 § 4.2).
    public static func submitter(in parameters: some Sequence<Octets>) -> [UInt8]? {
        let keyword = Octets("SUBMITTER=")
        let parameter = parameters.first { $0.prefix(keyword.count).equalsIgnoringCase(keyword) }
        return parameter.map { Array($0.dropFirst(keyword.count)) }
    }
}

extension ArraySlice<UInt8> {
    /// The `@` between the local-part and the domain of a mailbox: right behind a quoted-string, otherwise the last.
    public var separatorOfMailbox: Int? {
        if let end = endOfQuotedString, end < endIndex, self[end] == UInt8(ascii: "@") { return end }
        return lastIndex(of: UInt8(ascii: "@"))
    }

    /// The position behind the quoted-string at the beginning; nil when there is none, or it does not end.
    public var endOfQuotedString: Int? {
        guard first == UInt8(ascii: "\"") else { return nil }
        var index = startIndex + 1
        while index < endIndex {
            switch self[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        return nil
    }
}
