public import MailSyntax

/// The `<sender>` of a check, in its two parts (RFC 7208 § 4.1).
public struct SPFIdentity: Hashable, Sendable {
    /// The local-part, without quotes; `postmaster` when there is none.
    public let localPart: Octets
    /// The domain as the macros `%{s}` and `%{o}` show it: as written, or its A-labels.
    public let domainText: Octets
    /// The domain to look up; nil when it is malformed.
    public private(set) var domain: DomainName?

    /// Reads the argument of MAIL FROM, with or without angle brackets.
    ///
    /// RFC 7208 § 2.4: with the null reverse-path, the identity is `postmaster` at the HELO name.
    public init(mailFrom: Octets, helo: Octets) {
        let path = SMTPPath(mailFrom).mailbox
        if path.isEmpty {
            self.init(helo: helo)
        } else if let at = path.separatorOfMailbox {
            self.init(quotedLocalPart: path[..<at], domain: path[(at + 1)...])
        } else {
            // RFC 7208 § 4.3: without a local-part it is `postmaster`; any text can only be a domain.
            self.init(quotedLocalPart: [], domain: path)
        }
    }

    /// Reads the argument of HELO or EHLO.
    ///
    /// RFC 7208 § 4.3: the local-part of the HELO identity is `postmaster`.
    public init(helo: Octets) {
        self.init(quotedLocalPart: [], domain: helo)
    }

    private init(quotedLocalPart: Octets, domain: Octets) {
        self.init(localPart: Self.unquoted(quotedLocalPart), domain: domain)
    }

    /// Takes an address in its two parts, the local-part without quotes.
    public init(localPart: Octets, domain: Octets) {
        let text = domain.last == UInt8(ascii: ".") ? domain.dropLast() : domain
        self.init(localPart: localPart, domainText: text, Self.name(text))
    }

    /// Takes a mailbox whose domain name is known.
    package init(_ mailbox: Mailbox, domain: DomainName) {
        let text = mailbox.domain.last == UInt8(ascii: ".") ? mailbox.domain.dropLast() : mailbox.domain
        self.init(localPart: mailbox.localPart, domainText: text, domain)
    }

    private init(localPart: Octets, domainText text: Octets, _ domain: DomainName?) {
        let local = localPart.prefix(Self.maximumInputLength)
        // RFC 7208 § 4.3: "If the <sender> has no local-part, substitute the string 'postmaster'".
        self.localPart = local.isEmpty ? Self.postmaster : local
        self.domain = domain
        if let name = domain, text.contains(where: { $0 >= 0x80 }) {
            self.domainText = name.presentation[...]
        } else {
            self.domainText = text.prefix(Self.maximumInputLength)
        }
    }

    /// The same identity; its domain is malformed when no host can have it (`DomainName.init(mailHost:)`).
    ///
    /// RFC 7208 § 4.3 does not restrict the characters of a name, and the DNS accepts any. SMTP carries the names of
    /// hosts (RFC 5321 § 2.3.5).
    consuming func ofHost() -> SPFIdentity {
        if domain?.isHostName == false { domain = nil }
        return self
    }

    /// Whether the local-part is US-ASCII.
    ///
    /// RFC 8616 § 4: a term whose macros would show another local-part matches nothing.
    public var isLocalPartASCII: Bool { localPart.allSatisfy { $0 < 0x80 } }

    private static let postmaster = Octets("postmaster")

    /// Longer identities are not read: SMTP allows 256 octets in a path (RFC 5321 § 4.5.3.1.3).
    static let maximumInputLength = 998

    private static func name(_ text: Octets) -> DomainName? {
        // RFC 7208 § 4.3: an address literal, or any other text that is not a domain name, is malformed.
        guard text.count <= maximumInputLength, text.first != UInt8(ascii: "["),
            text.allSatisfy({ $0 >= 0x80 || $0.isVChar })
        else { return nil }
        return try? DomainName(unicode: text)
    }

    /// RFC 5321 § 4.1.2: quotes do not change the meaning of a local-part, so the macros show it without quotes.
    private static func unquoted(_ local: Octets) -> Octets {
        guard local.endOfQuotedString == local.endIndex else { return local }
        var text = [UInt8]()
        var isEscaped = false
        for octet in local.dropFirst().dropLast() {
            if octet == UInt8(ascii: "\\"), !isEscaped {
                isEscaped = true
            } else {
                text.append(octet)
                isEscaped = false
            }
        }
        return text[...]
    }
}

extension DomainName {
    /// The labels with dots between them, each octet unchanged.
    var presentation: [UInt8] {
        var text = wire
        var index = 0
        // The length octets between the labels become dots.
        while index < wire.count {
            let next = index + 1 + Int(wire[index])
            text[index] = UInt8(ascii: ".")
            index = next
        }
        return Array(text.dropFirst())
    }
}
