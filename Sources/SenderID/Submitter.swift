public import MailSyntax

/// The mailbox in the SUBMITTER parameter of SMTP's MAIL command (RFC 4405 § 3).
public struct Submitter: Hashable, Sendable {
    /// The mailbox.
    public let mailbox: Mailbox

    /// Reads the value of the parameter: an RFC 5321 mailbox, encoded as xtext.
    public init?(parameter: Octets) {
        guard let text = Self.decoded(parameter), let list = try? AddressList(parsing: text[...]),
            list.elements.count == 1, case .mailbox(let mailbox)? = list.elements.first, mailbox.displayName == nil,
            mailbox.domainName != nil
        else { return nil }
        self.mailbox = mailbox
    }

    /// Whether two mailboxes are the same; domains are compared without regard to case, local-parts are not.
    public func isSameMailbox(as other: Mailbox) -> Bool {
        mailbox.localPart == other.localPart && mailbox.domainName == other.domainName
    }

    /// RFC 3461 § 4: xtext = *( xchar / "+" 2 HEXDIG ), where "+" and "=" occur only encoded.
    private static func decoded(_ text: Octets) -> [UInt8]? {
        var output = [UInt8]()
        var rest = text
        while let octet = rest.popFirst() {
            switch octet {
            case UInt8(ascii: "+"):
                guard let high = rest.popFirst()?.hexValue, let low = rest.popFirst()?.hexValue else { return nil }
                output.append(high << 4 | low)
            case UInt8(ascii: "="): return nil
            case let octet where octet.isVChar: output.append(octet)
            default: return nil
            }
        }
        return output
    }
}
