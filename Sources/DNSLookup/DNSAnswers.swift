internal import MailSyntax

/// The answers that an inquiry knows, and the questions whose answers it missed.
public struct DNSAnswers: Sendable {
    private let resolver: any DNSResolving
    /// The replies that the inquiry has waited for.
    private var fetched: [DNSQuestion: DNSReply] = [:]
    /// The questions without an answer, in the order in which the last pass reached them.
    private(set) var missing: [DNSOpenQuestion] = []
    /// How many answers the pass has missed so far; an answer that it missed twice counts twice.
    public private(set) var missCount = 0
    /// How many questions at the beginning of `missing` have since been answered by replies that a pass passes over.
    private var position = 0

    @usableFromInline
    init(atHand resolver: any DNSResolving) {
        self.resolver = resolver
    }

    /// Whether the pass has missed no answer so far.
    public var isComplete: Bool { missCount == 0 }

    /// The reply to a question; when it is missing, nil, and the question is noted.
    ///
    /// - Parameters:
    ///   - question: the question that the inquiry needs answered.
    ///   - test: which addresses of the answer matter; nil when any answer may change the course of the inquiry.
    public mutating func reply(to question: DNSQuestion, holding test: DNSAddressTest? = nil) -> DNSReply? {
        let known = fetched.isEmpty ? nil : fetched[question]
        if let reply = known ?? resolver.answerAtHand(question) { return reply }
        missCount += 1
        miss(question, test)
        return nil
    }

    private mutating func miss(_ question: DNSQuestion, _ test: DNSAddressTest?) {
        guard let index = missing.firstIndex(where: { $0.question == question }) else {
            missing.append(DNSOpenQuestion(question: question, test: test))
            return
        }
        // Two requests may ask for different addresses: then any answer may matter.
        if missing[index].test != test { missing[index].test = nil }
    }

    /// Makes a pass over the known answers; nil when an answer is missing.
    ///
    /// Inlined, because a generic function looks up the type of its outcome at run time, for every message.
    @inlinable
    mutating func outcome<Inquiry: DNSInquiry>(of inquiry: Inquiry) -> Inquiry.Outcome? {
        begin()
        let outcome = inquiry.pass(over: &self)
        return isComplete ? outcome : nil
    }

    /// Forgets which answers the last pass missed.
    @usableFromInline
    mutating func begin() {
        missing = []
        missCount = 0
        position = 0
    }

    /// The question that must be answered before the inquiry can go on.
    var needed: DNSQuestion? { position < missing.count ? missing[position].question : nil }

    /// Takes a reply that has come.
    ///
    /// Each pass starts from the beginning. A new pass for every answer would take time quadratic in the number of
    /// answers, and a stranger chooses that number.
    ///
    /// - Returns: whether another pass can get further: this reply leads to other questions, or all replies before it
    ///   are known and it decides something, or no reply is missing any more.
    mutating func take(_ reply: DNSReply, to question: DNSQuestion) -> Bool {
        fetched[question] = reply
        guard question.type == .a || question.type == .aaaa else { return true }
        while position < missing.count, let reply = fetched[missing[position].question] {
            guard missing[position].isPassedOver(by: reply) else { return true }
            position += 1
        }
        return position == missing.count
    }
}

/// A question that a pass found no answer to.
struct DNSOpenQuestion: Sendable {
    let question: DNSQuestion
    /// Which addresses of the answer matter; nil when any answer may change the course of the inquiry.
    var test: DNSAddressTest?

    /// Whether this reply leaves the pass as it was without it: there are addresses, and the test wants none of them.
    func isPassedOver(by reply: DNSReply) -> Bool {
        guard let test, case .success(let answer) = reply.result, answer.status == .records else { return false }
        return !test.holds(answer)
    }
}
