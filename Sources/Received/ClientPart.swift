internal import MailSyntax

/// What a Received field says before `by`.
struct ClientPart {
    /// The words before the first comment: the HELO name, or the name of the client's address.
    var names: [Octets] = []
    /// The comments.
    var comments: [Octets] = []
    /// Whether there are words behind the first comment; no server writes any.
    var isInterrupted = false
    /// Whether all of it is in a comment; without an address there, the message was submitted on the host itself.
    var isInComment = false

    /// A program that writes the client's address without a comment.
    enum Program {
        case exim, communiGate
    }

    /// Whether nothing has come yet.
    var isEmpty: Bool { names.isEmpty && comments.isEmpty }

    /// The name, where it is one word.
    var onlyName: Octets? { names.count == 1 ? names.first : nil }

    /// The argument of HELO where a program writes the client's address in front: Exim "from [ADDRESS] (helo=HELO)", and
    /// "from [ADDRESS]" where HELO is the same; CommuniGate Pro "from [ADDRESS] (HELO HELO)".
    func helo(of program: Program) -> Octets {
        let first = comments.first
        return switch program {
        case .exim: first.map { ClientComment($0)?.helo ?? [] } ?? helo
        case .communiGate: first?.greetingOfCommuniGate ?? []
        }
    }

    /// The client by the first comment, or by the first two; nil where no comment mentions an address.
    ///
    /// What follows is about logins and TLS, and partly the client's. The server always writes its own mention, so a client that has added a mention, or moved the server's, is noticed.
    func client() throws(ReceivedProblem) -> (IPAddress, helo: Octets)? {
        switch mentions {
        case 0: return nil
        case 1 where !isInterrupted: break
        default: throw .ambiguous
        }
        guard let address = clientComment?.address else { throw isDisplaced ? .ambiguous : .noAddress }
        return (address, comments.first?.greeting ?? clientComment?.helo ?? helo)
    }

    /// Several words, where a client has said them or where a server has cut the line.
    private var helo: Octets { Octets(names.joined(separator: [.space])) }

    private var mentions: Int {
        // A client may greet with an address.
        let isGreeting = comments.first?.isGreetingWithAddress ?? false
        return comments.dropFirst(isGreeting ? 1 : 0).reduce(0) { $0 + $1.mentions }
    }

    /// The comment where the server says what it has seen of the client.
    private var clientComment: ClientComment? {
        guard let first = comments.first else { return nil }
        // Behind an address in front, HELO and tags are those of CommuniGate Pro and Exim, and more than these is the client's.
        if first.greeting != nil || first.isTagged, onlyName?.addressLiteral != nil { return nil }
        guard first.greeting != nil else { return ClientComment(first) }
        // qmail: "from NAME (HELO HELO) (USER@ADDRESS)"; Cisco: "from NAME (HELO HELO) ([ADDRESS])"; Apache James: "from NAME
        // (EHLO HELO)  ([ADDRESS])".
        return comments.dropFirst().first.flatMap { ClientComment($0) }
    }

    /// Whether an address stands where none can stand, unless words of the client have come before it.
    private var isDisplaced: Bool {
        onlyName?.addressLiteral != nil
            || comments.contains { comment in
                // Of a user, or within a comment in the comment.
                let marks = [UInt8(ascii: "@"), UInt8(ascii: "(")]
                return comment.mentions > 0 && comment.contains(where: marks.contains)
                    || ClientComment(comment)?.address != nil
            }
    }
}
