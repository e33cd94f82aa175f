internal import MailSyntax

/// A message for one recipient, as it is handed to a mail server.
public struct SMTPMessage: Sendable, Hashable {
    /// The address of MAIL; empty for the null reverse-path.
    public let sender: [UInt8]
    /// The address of RCPT.
    public let recipient: [UInt8]
    /// The message (RFC 5322): lines that end with CRLF, the last one too.
    public let octets: [UInt8]

    /// A message with its envelope.
    ///
    /// Returns nil for an address that could end its command early (control characters, blanks, angle brackets) or is
    /// too long, and for octets that have a bare CR or LF, a line of more than 998 octets, or no CRLF at the end:
    /// servers disagree about the end of such a message (RFC 5321 § 2.3.8, § 4.5.3.1.6).
    public init?(from sender: [UInt8], to recipient: [UInt8], octets: [UInt8]) {
        guard sender.isEmpty || Self.isAddress(sender), Self.isAddress(recipient), Self.hasWholeLines(octets) else {
            return nil
        }
        self.sender = sender
        self.recipient = recipient
        self.octets = octets
    }

    /// Whether the message has octets above 127, which need 8BITMIME (RFC 6152).
    var has8Bit: Bool { !octets.isASCII }

    /// Whether an address or the header has octets above 127, which need SMTPUTF8 (RFC 6531 § 3.4).
    var needsSMTPUTF8: Bool { !sender.isASCII || !recipient.isASCII || !header.isASCII }

    /// The octets before the first empty line.
    private var header: ArraySlice<UInt8> {
        var start = octets.startIndex
        while let end = octets[start...].firstIndex(of: .lf) {
            if end == start + 1 { return octets[..<start] }
            start = end + 1
        }
        return octets[...]
    }

    /// RFC 5321 § 4.5.3.1.3: a path has at most 256 octets, its brackets included.
    private static func isAddress(_ address: [UInt8]) -> Bool {
        !address.isEmpty && address.count <= 254
            && address.allSatisfy {
                $0 > .space && $0 != 0x7F && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">")
            }
    }

    private static func hasWholeLines(_ octets: [UInt8]) -> Bool {
        var previous: UInt8 = 0
        var length = 0
        for octet in octets {
            if (previous == .cr) != (octet == .lf) { return false }
            length = octet == .lf ? 0 : length + 1
            // RFC 5321 § 4.5.3.1.6: 1000 octets with the CRLF; here the CR is counted.
            if length > 999 { return false }
            previous = octet
        }
        return previous == .lf
    }
}
