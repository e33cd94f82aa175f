public import MailSyntax

extension AuthenticationResultsField {
    /// Whether a field claims to come from this authentication service, however it is written.
    ///
    /// RFC 8601 § 5: such a field must be deleted when it comes from outside. `ServiceName` says what counts; whoever asks
    /// of several fields of a message keeps one, because it bounds what they cost together.
    public static func belongs(to authservID: Octets, value: Octets) -> Bool {
        guard !isPlainlyOfAnother(than: authservID, value: value) else { return false }
        var name = ServiceName(authservID)
        return name.isClaimed(by: value)
    }

    /// Whether a field holds nothing that could be read in two ways, and nowhere this service's name.
    ///
    /// One look at each octet says so of nearly all fields of others; `ServiceName` reads a field up to six times.
    public static func isPlainlyOfAnother(than authservID: Octets, value: Octets) -> Bool {
        guard !authservID.isEmpty, authservID.allSatisfy({ $0 < 0x80 && $0.isNameCharacter }) else { return false }
        let (name, text) = (authservID.span, value.span)
        var isAtStart = true
        for index in text.indices {
            switch text[index] {
            case .space, .tab: break
            case UInt8(ascii: ";"): isAtStart = true
            // A line end that is no fold may vanish for a reader, and what stands before and after it become one word.
            case .cr: guard index + 1 < text.count, text[index + 1] == .lf else { return false }
            case .lf: guard index + 1 < text.count, text[index + 1].isWSP else { return false }
            case let octet:
                guard octet.isPlain else { return false }
                // An encoded word (RFC 2047 § 2).
                if octet == UInt8(ascii: "?"), index > 0, text[index - 1] == UInt8(ascii: "=") { return false }
                if isAtStart {
                    if text.hasName(name, at: index) { return false }
                    // An apostrophe or a bracket may stand before a name.
                    isAtStart = !octet.isNameCharacter
                }
            }
        }
        return true
    }
}

extension Span<UInt8> {
    /// Whether a name stands at a position, in any case of letters, folded or not, whatever follows it.
    fileprivate func hasName(_ name: Span<UInt8>, at position: Int) -> Bool {
        var position = position
        for index in name.indices {
            while position < count, self[position].isBlank { position += 1 }
            guard position < count, self[position].lowercased == name[index].lowercased else { return false }
            position += 1
        }
        return true
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
}
