internal import MailSyntax

/// The answers that an inquiry knows, and those that it missed.
public struct DNSAnswers: Sendable {
    private let resolver: any DNSResolving
    /// What was waited for.
    private var fetched: [DNSQuestion: DNSReply] = [:]
    /// The questions without an answer, in the order in which the last pass came upon them.
    private(set) var missing: [DNSOpenQuestion] = []
    /// How many answers the pass has missed so far, one that it missed twice counted twice.
    public private(set) var missCount = 0
    /// How many questions at the beginning of `missing` have been answered since, by what is passed over.
    private var position = 0

    @usableFromInline
    init(atHand resolver: any DNSResolving) {
        self.resolver = resolver
    }

    /// Whether the pass has missed no answer so far.
    public var isComplete: Bool { missCount == 0 }

    /// The reply to a question; nil, and noted, when it is missing.
    ///
    /// - Parameters:
    ///   - question: what the inquiry needs to know.
    ///   - test: what the addresses of the answer are wanted for; nil when any answer may change the course.
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
        // What is wanted of it twice may differ: then any answer may matter.
        if missing[index].test != test { missing[index].test = nil }
    }

    /// Passes over what is known; nil when an answer is missing.
    ///
    /// Inlined, because a generic function looks the type of its outcome up at run time, for every message.
    @inlinable
    mutating func outcome<Inquiry: DNSInquiry>(of inquiry: Inquiry) -> Inquiry.Outcome? {
        begin()
        let outcome = inquiry.pass(over: &self)
        return isComplete ? outcome : nil
    }

    /// Forgets what the last pass has missed.
    @usableFromInline
    mutating func begin() {
        missing = []
        missCount = 0
        position = 0
    }

    /// The question without whose answer the inquiry goes no further.
    var needed: DNSQuestion? { position < missing.count ? missing[position].question : nil }

    /// Takes a reply that has come.
    ///
    /// A pass is made from the beginning, so to make it again for each answer would take time in proportion to the square of
    /// their number, which a stranger chooses.
    ///
    /// - Returns: whether a pass can go further with it: it leads to other questions, or all before it are known and it
    ///   decides something, or nothing is missing any more.
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

/// A question that a pass has no answer to.
struct DNSOpenQuestion: Sendable {
    let question: DNSQuestion
    /// What the addresses of the answer are wanted for; nil when any answer may change the course.
    var test: DNSAddressTest?

    /// Whether a pass goes on with this reply as it does without it: there are addresses, and none of them is wanted.
    func isPassedOver(by reply: DNSReply) -> Bool {
        guard let test, case .success(let answer) = reply.result, answer.status == .records else { return false }
        return !test.holds(answer)
    }
}
