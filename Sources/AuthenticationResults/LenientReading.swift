internal import MailSyntax

/// The ways in which a reader could find a service's name in a field's value.
///
/// All of them ignore quotes, backslashes and characters around the name. They also ignore a blank of any script, a
/// control character, a fold or a comment within the name, because some readers drop it and others end the word there.
enum LenientReading {
    /// The rule for comments.
    enum Comments: CaseIterable {
        /// RFC 5322 § 3.2.2: comments nest, a backslash quotes, and there are none in quoted strings.
        case nested
        /// A comment is all text from a parenthesis to the next closing one, as for readers without a parser.
        case flat
        /// There are no comments, as for readers who see that a comment does not end.
        case none
    }

    /// The value as written and, if it has encoded words (RFC 2047 § 2), the value with these decoded, as shown by
    /// readers that decode every field; nil when one cannot be decoded.
    ///
    /// In both, blanks of other scripts become spaces.
    static func spellings(of value: Octets) -> [[UInt8]]? {
        let written = value.isASCII ? Array(value) : Blanks.asSpaces(value)
        guard EncodedWords.mayBe(in: value) else { return [written] }
        guard let decoded = EncodedWords.spelledOut(value) else { return nil }
        return [written, Blanks.asSpaces(decoded[...])]
    }

    /// Whether, for some reader, a spelling has the name at its beginning or alone between semicolons.
    static func names(_ name: inout ServiceName, in text: Octets) -> Bool {
        guard text.contains(UInt8(ascii: "(")) else { return names(&name, in: text, .nested).isFound }
        let nested = names(&name, in: text, .nested)
        if nested.isFound || !nested.isAmbiguous { return nested.isFound }
        return names(&name, in: text, .flat).isFound || (nested.isOpen && names(&name, in: text, .none).isFound)
    }

    /// The result of one reading.
    private struct Finding {
        var isFound = false
        /// Whether another reader could end a comment elsewhere.
        var isAmbiguous = false
        /// Whether a comment does not end.
        var isOpen = false
    }

    private static func names(_ name: inout ServiceName, in text: Octets, _ comments: Comments) -> Finding {
        var finding = Finding()
        var segment = Segment(reach: name.reach)
        var state = Position(comments: comments, lastClosing: text.lastIndex(of: UInt8(ascii: ")")) ?? text.startIndex)
        for index in text.indices {
            guard let octet = state.read(text[index], at: index) else { continue }
            if octet != UInt8(ascii: ";") {
                segment.take(octet, of: name)
            } else if segment.end(&name) {
                finding.isFound = true
                return finding
            }
        }
        finding.isFound = segment.end(&name)
        finding.isOpen = state.depth > 0
        finding.isAmbiguous = state.isAmbiguous || finding.isOpen
        return finding
    }
}

/// The state of a reading: in a comment, in quotes, after a backslash.
private struct Position {
    let comments: LenientReading.Comments
    /// The position of the last closing parenthesis.
    let lastClosing: Int
    var depth = 0
    var isQuoted = false
    var isEscaped = false
    /// Whether comments contain or touch something that not every reader knows.
    var isAmbiguous = false

    init(comments: LenientReading.Comments, lastClosing: Int) {
        self.comments = comments
        self.lastClosing = lastClosing
    }

    /// What a reader takes the next octet for; nil when the reader skips it.
    mutating func read(_ octet: UInt8, at index: Int) -> UInt8? {
        if isEscaped {
            isEscaped = false
            return depth > 0 ? nil : octet
        }
        switch octet {
        case UInt8(ascii: "\\"):
            isAmbiguous = true
            isEscaped = comments != .flat
            return nil
        case UInt8(ascii: "("):
            open(at: index)
            return .space
        case UInt8(ascii: ")"):
            depth = max(0, depth - 1)
            return .space
        case _ where depth > 0: return nil
        case UInt8(ascii: "\""):
            isAmbiguous = true
            isQuoted.toggle()
            return .space
        default: return octet
        }
    }

    private mutating func open(at index: Int) {
        switch comments {
        case .nested:
            if depth > 0 { isAmbiguous = true }
            if !isQuoted { depth += 1 }
        case .flat: depth = index < lastClosing ? 1 : 0
        case .none: break
        }
    }
}

/// The text between two semicolons, as far as the name could reach.
private struct Segment {
    let reach: Int
    private var octets: [UInt8] = []
    private var isFirst = true
    /// Whether the text so far cannot be the name.
    private var isOther = false

    init(reach: Int) {
        self.reach = reach
    }

    mutating func take(_ octet: UInt8, of name: borrowing ServiceName) {
        guard !isOther, octets.count < reach else { return }
        let octet = octet.isBlank ? .space : octet
        if octets.isEmpty {
            guard octet != .space else { return }
            guard name.mayBegin(with: octet) else {
                // Brackets, apostrophes and similar characters may surround the name.
                isOther = octet.isNameCharacter
                return
            }
        } else if octet == .space, octets.last == .space {
            return
        }
        octets.append(octet)
    }

    /// Ends the segment, and tells whether it was the name.
    mutating func end(_ name: inout ServiceName) -> Bool {
        let isNamed = !isOther && !octets.isEmpty && name.isNamed(by: octets[...], isFirst: isFirst)
        octets.removeAll(keepingCapacity: true)
        isFirst = false
        isOther = false
        return isNamed
    }
}
