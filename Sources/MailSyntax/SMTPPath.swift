/// The argument of MAIL or RCPT (RFC 5321 § 4.1.2, Path).
public struct SMTPPath {
    /// The mailbox without angle brackets and source route; empty for the null reverse-path.
    public let mailbox: [UInt8]

    /// Reads a path as the MTA passes it on, with or without its brackets.
    public init(_ text: Octets) {
        var path = text.trimmed
        if path.first == UInt8(ascii: "<"), path.last == UInt8(ascii: ">") { path = path.dropFirst().dropLast() }
        // RFC 5321 § 4.1.2, A-d-l: a source route must be accepted, and should be ignored.
        if path.first == UInt8(ascii: "@"), let colon = path.firstIndex(of: UInt8(ascii: ":")) {
            path = path[(colon + 1)...]
        }
        mailbox = Array(path)
    }

    /// The SUBMITTER parameter among ESMTP parameters, as it was sent (RFC 4405 § 4.2).
    public static func submitter(in parameters: some Sequence<Octets>) -> [UInt8]? {
        let keyword = Octets("SUBMITTER=")
        let parameter = parameters.first { $0.prefix(keyword.count).equalsIgnoringCase(keyword) }
        return parameter.map { Array($0.dropFirst(keyword.count)) }
    }
}
