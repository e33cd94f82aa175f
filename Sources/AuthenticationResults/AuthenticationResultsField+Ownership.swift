public import MailSyntax

extension AuthenticationResultsField {
    /// Whether a field claims to come from this authentication service, in any spelling.
    ///
    /// RFC 8601 § 5: such a field must be deleted when it comes from outside. `ServiceName` has the criteria. To check
    /// several fields of a message, keep one `ServiceName`, because it bounds their total cost.
    public static func belongs(to authservID: Octets, value: Octets) -> Bool {
        guard !isPlainlyOfAnother(than: authservID, value: value) else { return false }
        var name = ServiceName(authservID)
        return name.isClaimed(by: value)
    }

    /// Whether a field has nothing that could be read in two ways, and nowhere this service's name.
    ///
    /// One pass over the octets shows this for nearly all fields of others; `ServiceName` makes up to six.
    public static func isPlainlyOfAnother(than authservID: Octets, value: Octets) -> Bool {
        guard !authservID.isEmpty, authservID.allSatisfy({ $0 < 0x80 && $0.isNameCharacter }) else { return false }
        let (name, text) = (authservID.span, value.span)
        var isAtStart = true
        for index in text.indices {
            switch text[index] {
            case .space, .tab: break
            case UInt8(ascii: ";"): isAtStart = true
            // A line end that is not a fold may vanish for a reader, so that the words before and after it become one.
            case .cr: guard index + 1 < text.count, text[index + 1] == .lf else { return false }
            case .lf: guard index + 1 < text.count, text[index + 1].isWSP else { return false }
            case let octet:
                guard octet.isPlain else { return false }
                // The beginning of an encoded word (RFC 2047 § 2).
                if octet == UInt8(ascii: "?"), index > 0, text[index - 1] == UInt8(ascii: "=") { return false }
                if isAtStart {
                    if text.hasName(name, at: index) { return false }
                    // An apostrophe or a bracket may precede a name.
                    isAtStart = !octet.isNameCharacter
                }
            }
        }
        return true
    }
}

extension Span<UInt8> {
    /// Whether a name begins at a position, in any case of letters, folded or not, whatever follows it.
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
    /// Whether the octet means itself to every reader.
    fileprivate var isPlain: Bool {
        switch self {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\""), UInt8(ascii: "\\"): false
        default: isVChar
        }
    }
}
