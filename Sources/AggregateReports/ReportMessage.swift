public import MailSyntax

/// The mail that carries a report to one of its destinations (RFC 9990 § 3.5.2).
public struct ReportMessage: Sendable {
    /// The message with CRLF at the end of each line, and no line longer than 998 octets (RFC 5322 § 2.1.1).
    public let octets: [UInt8]

    /// A message.
    ///
    /// - Parameters:
    ///   - identity: which report it is.
    ///   - file: the compressed report.
    ///   - destination: who gets it.
    ///   - date: when it was made; the same for each attempt, so that the message is the same.
    public init(_ identity: ReportIdentity, file: [UInt8], to destination: ReportDestination, date: UnixTime) {
        var message = MessageText()
        // A base64 text has no hyphen, so no line of it is a boundary.
        let boundary = "report-\(identity.id)"
        message.line("From: \(identity.organization.phrase) <\(identity.address)>")
        message.line("To: <\(destination.address)>")
        message.line("Subject: \(identity.subjectParts.joined(separator: "\r\n "))")
        message.line("Date: \(date.mailDate)")
        message.line("Message-ID: <\(identity.messageID)>")
        // RFC 3834 § 5: no answer is wanted from programs.
        message.line("Auto-Submitted: auto-generated")
        message.line("MIME-Version: 1.0")
        message.line("Content-Type: multipart/mixed; boundary=\"\(boundary)\"")
        message.line("")
        message.line("--\(boundary)")
        message.line("Content-Type: text/plain; charset=utf-8")
        message.line("Content-Transfer-Encoding: base64")
        message.line("")
        message.base64([UInt8](Self.note(identity).utf8))
        message.line("--\(boundary)")
        // "The aggregate data MUST be present using the media type "application/gzip" if compressed".
        message.line("Content-Type: application/gzip; name=\"\(identity.fileName)\"".folded)
        message.line("Content-Transfer-Encoding: base64")
        // "The aggregate report itself MUST be included in one of the parts of the message, as an attachment".
        message.line("Content-Disposition: attachment; filename=\"\(identity.fileName)\"".folded)
        message.line("")
        message.base64(file)
        message.line("--\(boundary)--")
        octets = message.octets
    }

    /// What a person reads who opens the message.
    private static func note(_ identity: ReportIdentity) -> String {
        let (year, month, day) = UnixTime.date(ofDay: identity.day)
        return """
            This is a DMARC aggregate report (RFC 9990) for \(identity.policy.domain):\r
            how \(identity.receiver) saw mail from there on \(year)-\(month)-\(day) (UTC).\r
            It was made by a program, and the DMARC record of the domain asks for it.\r
            Questions go to \(identity.address) (\(identity.organization.cleaned(ReportBounds.humanCharacters))).\r

            """
    }
}

/// Lines of a message.
private struct MessageText {
    var octets = [UInt8]()

    mutating func line(_ text: String) {
        octets.append(text)
        octets.append("\r\n")
    }

    // RFC 2045 § 6.8: "The encoded output stream must be represented in lines of no more than 76 characters each."
    mutating func base64(_ data: [UInt8]) {
        for start in stride(from: 0, to: data.count, by: 57) {
            octets.append(contentsOf: Base64.encode(Array(data[start..<min(start + 57, data.count)])))
            octets.append("\r\n")
        }
    }
}

extension String {
    /// A field with a fold before its parameter.
    fileprivate var folded: String {
        guard let semicolon = firstIndex(of: ";") else { return self }
        return "\(self[...semicolon])\r\n \(self[index(after: semicolon)...].drop { $0 == " " })"
    }

    /// A display name: a quoted-string (RFC 5322 § 3.2.4), or encoded-words where it is not US-ASCII (RFC 2047).
    fileprivate var phrase: String {
        guard !utf8.allSatisfy({ $0 == .space || $0.isVChar }) else {
            return "\"" + prefix(200).map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
        }
        var words = [[UInt8]()]
        for character in cleaned(ReportBounds.humanCharacters).unicodeScalars {
            let octets = Array(UTF8.encode(character) ?? UTF8.encodedReplacementCharacter)
            // RFC 2047 § 2: "An 'encoded-word' may not be more than 75 characters long"; § 5: no character is divided.
            if words[words.count - 1].count + octets.count > 45 { words.append([]) }
            words[words.count - 1] += octets
        }
        return words.map { "=?utf-8?B?\(Base64.encode($0)[...].text)?=" }.joined(separator: "\r\n ")
    }
}
