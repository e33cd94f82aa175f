/// A mailbox: an address and its optional name (RFC 5322 § 3.4).
public struct Mailbox: Hashable, Sendable {
    /// The display name: its words with one space between them, quoted strings without their quotes; nil if absent.
    ///
    /// Encoded words (RFC 2047) stay as they were written.
    public let displayName: Octets?
    /// The text before the `@`, in its meaning: without comments, quotes and the backslashes of quoted pairs.
    public let localPart: Octets
    /// The text behind the `@`, as it was written but without comments and white space; with brackets.
    public let domain: Octets
    /// Whether `domain` is a literal in brackets, such as `[192.0.2.1]` (RFC 5322 § 3.4.1).
    public let hasDomainLiteral: Bool

    /// A mailbox from its parts.
    public init(displayName: Octets? = nil, localPart: Octets, domain: Octets, hasDomainLiteral: Bool = false) {
        self.displayName = displayName
        self.localPart = localPart
        self.domain = domain
        self.hasDomainLiteral = hasDomainLiteral
    }

    /// The domain as a DNS name, with U-labels turned into A-labels; nil for a literal or a name that no host can have.
    public var domainName: DomainName? {
        hasDomainLiteral ? nil : try? DomainName(mailHost: domain)
    }

    /// The address as an addr-spec; a local part that is not a dot-atom becomes a quoted string (RFC 5322 § 3.4.1).
    public var addrSpec: [UInt8] {
        var text = [UInt8]()
        text.reserveCapacity(localPart.count + domain.count + 1)
        if localPart.isDotAtom {
            text.append(contentsOf: localPart)
        } else {
            text.append(UInt8(ascii: "\""))
            for octet in localPart {
                if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
                text.append(octet)
            }
            text.append(UInt8(ascii: "\""))
        }
        text.append(UInt8(ascii: "@"))
        text.append(contentsOf: domain)
        return text
    }
}

extension ArraySlice<UInt8> {
    /// Whether this is a dot-atom-text: runs of atext with single dots between them (RFC 5322 § 3.2.3).
    public var isDotAtom: Bool {
        var isAfterDot = true
        for octet in self {
            guard octet.isAtext || (octet == UInt8(ascii: ".") && !isAfterDot) else { return false }
            isAfterDot = octet == UInt8(ascii: ".")
        }
        return !isAfterDot
    }
}

extension UInt8 {
    /// A character that an atom may contain (RFC 5322 § 3.2.3, atext; RFC 6532 § 3.2 adds characters beyond US-ASCII).
    ///
    /// RFC 6532 requires UTF-8 beyond US-ASCII. Older messages have Latin-1 and similar charsets in display names.
    /// Their From must not escape evaluation for that reason, so every octet above 127 counts as atext.
    public var isAtext: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...0xFF:
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"),
            UInt8(ascii: "="), UInt8(ascii: "?"), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
            UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
