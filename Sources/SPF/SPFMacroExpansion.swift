internal import MailSyntax

/// The values that macros stand for (RFC 7208 § 7.2).
struct SPFMacroValues {
    var identity: SPFIdentity
    var helo: Octets
    var client: IPAddress
    var domain: DomainName
    /// The value of `%{p}`; RFC 7208 § 7.3: "unknown" when there is none.
    var validatedName: DomainName?
    var receiver: Octets
    /// The time of the check.
    var now: UnixTime

    /// The value of a macro, before its transformers.
    func value(_ letter: SPFMacro.Letter) -> Octets {
        switch letter {
        case .sender: identity.localPart + [UInt8(ascii: "@")] + identity.domainText
        case .localPart: identity.localPart
        case .senderDomain: identity.domainText
        case .domain: domain.presentation[...]
        case .address: dottedClient
        case .validatedName: validatedName?.presentation[...] ?? Octets("unknown")
        case .version: if case .v4 = client { Octets("in-addr") } else { Octets("ip6") }
        case .helo: helo.prefix(SPFIdentity.maximumInputLength)
        case .readableAddress: Octets(client.description)
        case .receiver: receiver
        case .timestamp: Octets(String(now.seconds))
        }
    }

    /// RFC 7208 § 7.3: for IPv6, "a dot-format address", nibble by nibble; in upper case, because names ignore case.
    private var dottedClient: Octets {
        guard case .v6(let address) = client else { return Octets(client.description) }
        var text = [UInt8]()
        text.reserveCapacity(63)
        for nibble in address.nibbles {
            if !text.isEmpty { text.append(UInt8(ascii: ".")) }
            text.append(nibble < 10 ? 0x30 + nibble : 0x37 + nibble)
        }
        return text[...]
    }

    /// Appends the value of a macro with its transformers applied.
    func append(_ macro: SPFMacro, to output: inout [UInt8]) {
        let value = value(macro.letter)
        guard !macro.isPlain else {
            append(value, escaped: macro.isURLEscaped, to: &output)
            return
        }
        // RFC 7208 § 7.3: split at the delimiters, reverse, keep the right-hand parts, join with dots.
        var parts = value.split(omittingEmptySubsequences: false) { macro.splits(at: $0) }
        if macro.isReversed { parts.reverse() }
        if macro.partCount > 0 { parts = parts.suffix(Int(macro.partCount)) }
        var isFirst = true
        for part in parts {
            if !isFirst { output.append(UInt8(ascii: ".")) }
            append(part, escaped: macro.isURLEscaped, to: &output)
            isFirst = false
        }
    }

    /// RFC 7208 § 7.3: "Uppercase macros expand exactly as the lowercase macros, and are then URL escaped", except the
    /// unreserved characters of RFC 3986 § 2.3.
    private func append(_ text: Octets, escaped: Bool, to output: inout [UInt8]) {
        guard escaped else {
            output.append(contentsOf: text)
            return
        }
        for octet in text {
            if octet.isAlpha || octet.isDigit || Self.unreserved.contains(octet) {
                output.append(octet)
            } else {
                output.append(UInt8(ascii: "%"))
                output.append(Self.hexDigits[Int(octet >> 4)])
                output.append(Self.hexDigits[Int(octet & 15)])
            }
        }
    }

    private static let unreserved = Array("-._~".utf8)
    private static let hexDigits = Array("0123456789ABCDEF".utf8)
}

extension SPFMacroString {
    /// Appends one part; `values` is nil for a string without macros.
    private func append(_ part: Part, _ values: SPFMacroValues?, to output: inout [UInt8]) {
        switch part {
        case .literal(let start, let end): output.append(contentsOf: literal(start, end))
        case .space: output.append(.space)
        case .escapedSpace: output.append("%20")
        case .macro(let macro): values?.append(macro, to: &output)
        }
    }

    /// Expands to a domain name; nil when it is malformed.
    func targetName(_ values: SPFMacroValues?) -> DomainName? {
        // Only the right end of a long name counts, so expansion starts there and stops when the text is long enough.
        var pieces = [[UInt8]]()
        var count = 0
        for part in parts.reversed() where count <= 2 * Self.maximumNameLength {
            var piece = [UInt8]()
            append(part, values, to: &piece)
            count += piece.count
            pieces.append(piece)
        }
        var text = Array(pieces.reversed().joined())[...]
        if text.last == UInt8(ascii: ".") { text = text.dropLast() }
        // RFC 7208 § 7.3: a name of more than 253 characters loses labels on its left until it fits.
        while text.count > Self.maximumNameLength {
            guard let dot = text.firstIndex(of: UInt8(ascii: ".")) else { return nil }
            text = text[(dot + 1)...]
        }
        return try? DomainName(text)
    }

    private static let maximumNameLength = 253

    /// Expands to an explanation of at most `limit` octets of printable US-ASCII.
    func explanation(_ values: SPFMacroValues, limit: Int) -> [UInt8] {
        var text = [UInt8]()
        for part in parts where text.count < limit {
            append(part, values, to: &text)
        }
        // Text from senders and clients ends up in an SMTP reply: it must be printable.
        return text.prefix(max(0, limit)).map { $0 == .space || $0.isVChar ? $0 : UInt8(ascii: "?") }
    }
}
