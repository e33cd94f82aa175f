public import MailSyntax

extension ReceivedField {
    /// The most octets of a field's value that are read.
    public static let maximumOctets = 8192

    /// Reads the value of a field, folds included.
    ///
    /// The client chooses its HELO name and owns the names of its address, so nothing is searched for: an address counts
    /// only where the server that wrote the field is known to put what it has seen, and where nothing else in the part
    /// about the client could be what the server has put there. `ClientComment` knows these places.
    public init(parsing value: Octets) throws(ReceivedProblem) {
        guard value.count <= Self.maximumOctets else { throw .tooLong }
        var parser = ReceivedParser(value)
        self = try parser.field()
    }
}

/// Reads the clauses `from` and `by` of RFC 5321 § 4.4.
private struct ReceivedParser {
    private enum Token {
        case word(Octets)
        case comment(Octets)
    }

    private let handovers: Handovers
    private var scanner: FieldScanner

    init(_ value: Octets) {
        let text = value.withoutCuts
        handovers = Handovers(value, text)
        scanner = FieldScanner(text)
    }

    mutating func field() throws(ReceivedProblem) -> ReceivedField {
        let part = try clientPart()
        guard case .word(let text)? = try token(), let host = try? DomainName(text) else { throw .noHost }
        let client = try part.client()
        // What stands behind the host's name is the host's own.
        if let address = part.onlyName?.addressLiteral, let program = try program() {
            guard client == nil else { throw .ambiguous }
            return ReceivedField(client: address, helo: part.helo(of: program), host: host)
        }
        guard let (address, helo) = client else { throw part.isInComment ? .noClient : .noAddress }
        return ReceivedField(client: address, helo: helo, host: host)
    }

    /// What stands before `by`.
    private mutating func clientPart() throws(ReceivedProblem) -> ClientPart {
        var part = try beginning()
        guard !handovers.isUnclear else { throw .ambiguous }
        while let token = try token() {
            switch token {
            case .comment(let text): part.comments.append(text)
            case .word(let word) where word.equalsIgnoringCase("by") && !part.isEmpty:
                guard handovers.mayBegin(at: word.startIndex) else { throw .ambiguous }
                return part
            case .word(let word):
                if part.comments.isEmpty { part.names.append(word) } else { part.isInterrupted = true }
            }
        }
        throw handovers.isEmpty ? .noHost : .ambiguous
    }

    /// `from` and the word behind it; Sendmail puts the whole clause into a comment where the client has not said HELO.
    private mutating func beginning() throws(ReceivedProblem) -> ClientPart {
        switch try token() {
        case .word(let keyword)? where keyword.equalsIgnoringCase("from"):
            return ClientPart()
        case .comment(let text)?:
            guard let keyword = text.words.first, keyword.elementsEqual("from".utf8) else { throw .noClient }
            return ClientPart(comments: [text[keyword.endIndex...]], isInComment: true)
        case .word?, nil: throw .noClient
        }
    }

    /// The program that a comment behind `by` names, if it is one that writes the client's address without a comment.
    ///
    /// It stands before `id` and `for`; behind them, senders choose the words, as in `for <"(Exim 4)"@example.org>`.
    private mutating func program() throws(ReceivedProblem) -> ClientPart.Program? {
        while let token = try token() {
            guard case .comment(let text) = token else {
                if case .word(let word) = token, ["id", "for"].contains(where: { word.equalsIgnoringCase($0) }) {
                    return nil
                }
                continue
            }
            if text.starts(with: "Exim ".utf8) { return .exim }
            if text.starts(with: "CommuniGate Pro ".utf8) { return .communiGate }
        }
        return nil
    }

    /// The next word or comment; nil at the end of the clauses.
    private mutating func token() throws(ReceivedProblem) -> Token? {
        do throws(StructuredFieldError) {
            try scanner.skipFWS()
            // A client chooses the name in its certificate, and Postfix lets it nest: the depth is only counted.
            if scanner.next == UInt8(ascii: "(") { return .comment(try scanner.comment(nested: .max)) }
        } catch {
            throw .malformed
        }
        let word = scanner.run { $0.isVChar && !$0.endsWord || $0 >= 0x80 }
        guard word.isEmpty else { return .word(word) }
        guard scanner.next == nil || scanner.next == UInt8(ascii: ";") else { throw .malformed }
        return nil
    }
}

extension UInt8 {
    fileprivate var endsWord: Bool {
        self == UInt8(ascii: "(") || self == UInt8(ascii: ")") || self == UInt8(ascii: ";")
    }
}
