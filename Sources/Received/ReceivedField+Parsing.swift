public import MailSyntax

extension ReceivedField {
    /// The most octets of a field's value that are read.
    public static let maximumOctets = 8192

    /// Reads the value of a field, folds included.
    ///
    /// The client chooses its HELO name and owns the names of its address, so nothing is searched for: an address counts
    /// only where the server that wrote the field is known to put what it has seen. `ClientComment` knows these places.
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

    private var scanner: FieldScanner

    init(_ value: Octets) {
        scanner = FieldScanner(value)
    }

    mutating func field() throws(ReceivedProblem) -> ReceivedField {
        guard case .word(let keyword)? = try token(), keyword.equalsIgnoringCase("from") else { throw .noClient }
        guard case .word(let name)? = try token() else { throw .noAddress }
        let comments = try commentsBeforeBy()
        guard case .word(let text)? = try token(), let host = try? DomainName(text) else { throw .noHost }
        if let (address, helo) = Self.client(name, comments) {
            return ReceivedField(client: address, helo: helo, host: host)
        }
        // What stands behind the host's name is the host's own.
        guard comments.count <= 1, let address = name.addressLiteral else { throw .noAddress }
        switch try program() {
        case .exim where comments.isEmpty: return ReceivedField(client: address, helo: name, host: host)
        case .communiGate:
            guard let helo = comments.first?.greetingOfCommuniGate else { throw .noAddress }
            return ReceivedField(client: address, helo: helo, host: host)
        case .exim, nil: throw .noAddress
        }
    }

    private mutating func commentsBeforeBy() throws(ReceivedProblem) -> [Octets] {
        var comments = [Octets]()
        while let token = try token() {
            switch token {
            case .comment(let text): comments.append(text)
            case .word(let word):
                guard word.equalsIgnoringCase("by") else { throw .noAddress }
                return comments
            }
        }
        throw .noHost
    }

    /// The client by the first comment, or by the first two; what follows is about logins and TLS, and partly the
    /// client's.
    private static func client(_ name: Octets, _ comments: [Octets]) -> (IPAddress, helo: Octets)? {
        guard let first = comments.first else { return nil }
        // qmail: "from NAME (HELO HELO) (USER@ADDRESS)"; Cisco: "from NAME (HELO HELO) ([ADDRESS])"; Apache James: "from NAME
        // (EHLO HELO)  ([ADDRESS])".
        if let helo = first.greeting {
            guard comments.count > 1 else { return nil }
            return ClientComment(comments[1])?.address.map { ($0, helo) }
        }
        guard let comment = ClientComment(first) else { return nil }
        // Exim, of a client without a verified name: "from [ADDRESS] (helo=HELO)".
        guard let address = comment.address ?? name.addressLiteral else { return nil }
        return (address, comment.helo ?? (comment.address == nil ? [] : name))
    }

    private enum Program {
        case exim, communiGate
    }

    /// The program that a comment behind `by` names, if it is one that writes the client's address without a comment.
    ///
    /// It stands before `id` and `for`; behind them, senders choose the words, as in `for <"(Exim 4)"@example.org>`.
    private mutating func program() throws(ReceivedProblem) -> Program? {
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
            if scanner.next == UInt8(ascii: "(") { return .comment(try scanner.comment()) }
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
