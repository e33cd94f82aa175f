public import MailSyntax

extension AuthenticationResultsField {
    /// Whether a field claims to come from this authentication service, however it is written.
    ///
    /// RFC 8601 § 5: such a field must be deleted when it comes from outside. A reader further on may be more lenient than
    /// the grammar, so the question is not whether the field is valid: in any case of letters, quoted, commented, folded,
    /// with a version, with U-labels or broken behind the name, it counts. So does a name that stands alone between two
    /// semicolons further on, where readers look who take `i=1; name; …` of an ARC field for the same thing.
    public static func belongs(to authservID: Octets, value: Octets) -> Bool {
        guard !isPlainlyOfAnother(than: authservID, value: value) else { return false }
        let text = value.trimmed
        // Where nothing can be read in two ways, the name stands there or does not.
        let start = text.prefix(authservID.count + 2)
        if start.allSatisfy(\.isPlain), authservID.allSatisfy({ $0 < 0x80 }) {
            if isName(authservID, atStartOf: start) { return true }
        } else if readings(of: text).contains(where: { isName(authservID, atStartOf: $0.start(authservID.count + 64)) })
        {
            return true
        }
        return readings(of: text).contains { $0.hasSegment(authservID) }
    }

    /// Whether a field holds nothing that could be read in two ways, and nowhere this service's name.
    ///
    /// One look at each octet says so of nearly all fields of others; `belongs` reads a field up to six times.
    public static func isPlainlyOfAnother(than authservID: Octets, value: Octets) -> Bool {
        guard !authservID.isEmpty, authservID.allSatisfy({ $0 < 0x80 && $0.isNameCharacter }) else { return false }
        let (name, text) = (authservID.span, value.span)
        var isAtStart = true
        for index in text.indices {
            switch text[index] {
            case 0x20, 0x09: break
            case UInt8(ascii: ";"): isAtStart = true
            // A line end that is no fold may vanish for a reader, and what stands before and after it become one word.
            case 0x0D: guard index + 1 < text.count, text[index + 1] == 0x0A else { return false }
            case 0x0A: guard index + 1 < text.count, text[index + 1].isWSP else { return false }
            case let octet:
                guard octet.isPlain else { return false }
                if isAtStart, text.hasName(name, at: index) { return false }
                isAtStart = false
            }
        }
        return true
    }

    /// The ways in which the text may be read.
    ///
    /// Comments may vanish or separate words; one that does not end may not be taken for a comment at all. A quote may end
    /// a word as well, with white space or without.
    private static func readings(of text: Octets) -> [LenientReading] {
        let plain = LenientReading(text: text, comments: .nothing, quotesEndWords: false)
        var comments: [LenientReading.Comments] = [.nothing]
        if text.contains(UInt8(ascii: "(")) { comments += plain.endsInComment ? [.space, .text] : [.space] }
        let quotes = text.contains(UInt8(ascii: "\"")) ? [false, true] : [false]
        return quotes.flatMap { quotesEnd in
            comments.map { LenientReading(text: text, comments: $0, quotesEndWords: quotesEnd) }
        }
    }

    /// Whether a text begins with the name, and the name ends there.
    fileprivate static func isName(_ name: Octets, atStartOf text: Octets) -> Bool {
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

/// One way to read the value of a field without its quotes, backslashes, control characters and comments.
private struct LenientReading {
    /// What becomes of a comment.
    enum Comments {
        case nothing, space, text
    }

    let text: Octets
    let comments: Comments
    let quotesEndWords: Bool

    /// Whether a comment does not end.
    var endsInComment: Bool { read { _ in true } > 0 }

    /// The first octets, without leading white space.
    func start(_ count: Int) -> Octets {
        var start = [UInt8]()
        read { octet in
            if octet != 0x20 || !start.isEmpty { start.append(octet) }
            return start.count < count
        }
        return start[...]
    }

    /// Whether a part between two semicolons, but for the first, is this name and nothing else, or has a version behind it.
    func hasSegment(_ name: Octets) -> Bool {
        var segment = [UInt8]()
        var isFirst = true
        var isFound = false
        func end() {
            isFound = isFound || (!isFirst && Self.isName(name, segment[...]))
            isFirst = false
            segment.removeAll(keepingCapacity: true)
        }
        read { octet in
            if octet == UInt8(ascii: ";") {
                end()
            } else if !isFirst, segment.count < name.count + 64, octet != 0x20 || !segment.isEmpty {
                segment.append(octet)
            }
            return !isFound
        }
        end()
        return isFound
    }

    private static func isName(_ name: Octets, _ segment: Octets) -> Bool {
        let text = segment.trimmed
        let word = text.prefix(max(name.count, text.firstIndex(of: 0x20).map { $0 - text.startIndex } ?? text.count))
        return text.dropFirst(word.count).allSatisfy { $0 == 0x20 || $0.isDigit }
            && AuthenticationResultsField.isName(name, atStartOf: word)
    }

    /// Gives the octets that are left to `take`, one after the other, until that wants no more.
    ///
    /// - Returns: how deep in comments it ended.
    @discardableResult
    private func read(_ take: (UInt8) -> Bool) -> Int {
        var depth = 0
        var isQuoted = false
        var isEscaped = false
        for octet in text {
            var left: UInt8?
            if isEscaped {
                isEscaped = false
                left = depth == 0 ? octet : nil
            } else {
                switch octet {
                case UInt8(ascii: "\\"): isEscaped = true
                case UInt8(ascii: "(") where !isQuoted && comments != .text: depth += 1
                case UInt8(ascii: ")") where depth > 0:
                    depth -= 1
                    if depth == 0, comments == .space { left = 0x20 }
                case _ where depth > 0: break
                case UInt8(ascii: "\""):
                    isQuoted.toggle()
                    if quotesEndWords { left = 0x20 }
                case UInt8(ascii: "("), UInt8(ascii: ")"): break
                case 0x20, 0x09: left = 0x20
                case 0x00...0x1F, 0x7F: break
                default: left = octet
                }
            }
            if let left, !take(left) { break }
        }
        return depth
    }
}

extension Span<UInt8> {
    /// Whether a name stands at a position, in any case of letters, whatever follows it.
    fileprivate func hasName(_ name: Span<UInt8>, at position: Int) -> Bool {
        guard name.count <= count - position else { return false }
        for index in name.indices where self[position + index].lowercased != name[index].lowercased { return false }
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

    /// Whether a reader would take the octet for a part of a service's name.
    fileprivate var isNameCharacter: Bool {
        isAlpha || isDigit || self >= 0x80 || self == UInt8(ascii: ".") || self == UInt8(ascii: "-")
            || self == UInt8(ascii: "_")
    }
}
