public import MailSyntax

extension AuthenticationResultsField {
    /// Whether a field claims to come from this authentication service, however it is written.
    ///
    /// RFC 8601 § 5: such a field must be deleted when it comes from outside. A reader further on may be more lenient than
    /// the grammar, so the question is not whether the field is valid: in any case of letters, quoted, commented, folded,
    /// with a version, with U-labels or broken behind the name, it counts.
    public static func belongs(to authservID: Octets, value: Octets) -> Bool {
        let text = value.trimmed
        // Where nothing can be read in two ways, the name stands there or does not.
        let start = text.prefix(authservID.count + 2)
        if start.allSatisfy(\.isPlain), authservID.allSatisfy({ $0 < 0x80 }) {
            return isName(authservID, atStartOf: start)
        }
        var scanner = FieldScanner(text)
        let isBroken = (try? scanner.skipCFWS()) == nil
        // Comments may vanish or separate words; one that does not end may not be taken for a comment at all.
        let readings: [CommentReading] = isBroken ? [.nothing, .space, .text] : [.nothing, .space]
        // A quote may end a word as well, with white space or without.
        return [false, true].contains { quotesEnd in
            readings.contains { reading in
                let start = beginning(of: value, atMost: authservID.count + 64, reading, quotesEndWords: quotesEnd)
                return isName(authservID, atStartOf: start[...])
            }
        }
    }

    private enum CommentReading {
        case nothing, space, text
    }

    /// The first octets of the value without quotes, backslashes, control characters and leading white space.
    private static func beginning(
        of value: Octets,
        atMost count: Int,
        _ comments: CommentReading,
        quotesEndWords: Bool
    ) -> [UInt8] {
        var start = [UInt8]()
        var depth = 0
        var isQuoted = false
        var isEscaped = false
        for octet in value where start.count < count {
            if isEscaped {
                isEscaped = false
                if depth == 0 { start.append(octet) }
                continue
            }
            switch octet {
            case UInt8(ascii: "\\"): isEscaped = true
            case UInt8(ascii: "(") where !isQuoted && comments != .text:
                depth += 1
            case UInt8(ascii: ")") where depth > 0:
                depth -= 1
                if depth == 0, comments == .space, !start.isEmpty { start.append(0x20) }
            case _ where depth > 0: break
            case UInt8(ascii: "\""):
                isQuoted.toggle()
                if quotesEndWords, !start.isEmpty { start.append(0x20) }
            case UInt8(ascii: "("), UInt8(ascii: ")"): break
            case 0x20, 0x09: if !start.isEmpty { start.append(0x20) }
            case 0x00...0x1F, 0x7F: break
            default: start.append(octet)
            }
        }
        return start
    }

    /// Whether a text begins with the name, and the name ends there.
    private static func isName(_ name: Octets, atStartOf text: Octets) -> Bool {
        let word = text.prefix { $0.isNameCharacter }
        if word.equalsIgnoringCase(name) { return true }
        // A dot at the end makes no other name; and a name may contain what no domain name does.
        if word.dropLast().equalsIgnoringCase(name), word.last == UInt8(ascii: ".") { return true }
        if text.prefix(name.count).equalsIgnoringCase(name), text.dropFirst(name.count).first?.isNameCharacter != true {
            return true
        }
        // RFC 8601 § 5: A-labels and U-labels are the same name.
        guard word.contains(where: { $0 >= 0x80 }) || name.contains(where: { $0 >= 0x80 }) else { return false }
        guard let one = try? DomainName(unicode: word), let other = try? DomainName(unicode: name) else { return false }
        return one == other
    }
}

extension UInt8 {
    /// Whether every reader takes the octet for itself.
    fileprivate var isPlain: Bool {
        switch self {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\""), UInt8(ascii: "\\"): false
        default: isVChar
        }
    }

    /// Whether a reader would take the octet for a part of a service's name.
    fileprivate var isNameCharacter: Bool {
        isAlpha || isDigit || self >= 0x80 || self == UInt8(ascii: ".") || self == UInt8(ascii: "-")
            || self == UInt8(ascii: "_")
    }
}
