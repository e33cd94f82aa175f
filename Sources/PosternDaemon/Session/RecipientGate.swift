internal import MailEvents
internal import MailSyntax
internal import Policy

/// Decides about the recipients of one message: RCPT commands and answers of the DNS in, replies out.
///
/// It has no clock, timer or socket, so that a script can play any transaction. At most one recipient waits, because
/// the MTA sends no further recipient before it has the answer.
struct RecipientGate {
    /// The decision about a recipient.
    enum Decision: Equatable {
        /// The recipient is accepted.
        case take
        /// A rule refuses the recipient.
        case refuse(PolicyVerdict)
        /// The recipient must come in another transaction: the rules treat it differently from the first recipient.
        case sendAway
        /// The message has too many recipients.
        case refuseAsTooMany
        /// An open check may decide: the answer follows when `settle` returns a decision, or when this time is over.
        case wait(number: Int, atMost: Duration)
    }

    /// The most recipients of a message; MTAs have their own, lower limits.
    static let mostRecipients = 50_000

    /// The most recipients of a transaction that are sent away.
    ///
    /// Postfix counts each such reply as an error of the client, slows the client down from the tenth error on and ends
    /// its session at the twentieth (`smtpd_soft_error_limit`, `smtpd_hard_error_limit`).
    static let mostSentAway = 8

    private let engine: PolicyEngine?
    private let isAnswered: Bool
    private let remembered: PutOffRecipients?
    /// How long recipients may still wait in total.
    private var patience: Duration
    private var waiting: (mailbox: [UInt8], kind: RecipientKind)?
    private var waits = 0
    /// Kinds of recipients that the envelope can no longer cause to be refused, noted from the second recipient on.
    private var cleared: Set<RecipientKind> = []
    private var group: PutOffRecipients.Group?
    private var isAllRemembered = true

    /// The accepted recipients.
    private(set) var taken: [[UInt8]] = []
    /// The kinds of the accepted recipients, if the message is judged.
    private(set) var kinds = RecipientKinds()
    /// The recipients that rules refused.
    private(set) var refused: [[UInt8]] = []
    /// The verdicts on the refused recipients.
    private(set) var refusals: [PolicyVerdict] = []
    /// The recipients that were sent away.
    private(set) var sentAway: [[UInt8]] = []
    /// Recipients that rules answered while checks of the envelope were open, by their places among those that were taken or
    /// refused.
    private(set) var early: [Transcript.Early: [Int]] = [:]
    /// Whether there were too many recipients.
    private(set) var hasTooMany = false

    /// A gate that accepts every recipient, up to a limit: for mail that is not judged.
    init() {
        engine = nil
        isAnswered = false
        remembered = nil
        patience = .zero
    }

    /// A gate for a message that is judged.
    ///
    /// - Parameters:
    ///   - engine: the rules.
    ///   - isAnswered: whether the MTA waits for an answer to RCPT; otherwise it would deliver to recipients that we
    ///     refuse.
    ///   - patience: how long recipients may wait in total.
    ///   - remembered: the recipients of this sender's earlier, deferred messages, if there are any.
    init(_ engine: PolicyEngine, isAnswered: Bool, patience: Duration, remembered: PutOffRecipients?) {
        self.engine = engine
        self.isAnswered = isAnswered
        self.patience = patience
        self.remembered = isAnswered ? remembered : nil
    }
}

// MARK: RCPT

extension RecipientGate {
    /// Decides about a recipient from the known facts.
    ///
    /// - Parameters:
    ///   - mailbox: the recipient.
    ///   - facts: the facts of the envelope so far.
    ///   - isComplete: whether all checks of the envelope have ended.
    mutating func recipient(
        _ mailbox: [UInt8],
        _ facts: @autoclosure () -> PolicyFacts,
        isComplete: @autoclosure () -> Bool
    ) -> Decision {
        // RFC 5321 § 4.5.3.1.10: recipients beyond the limit are refused temporarily, and sent again in another
        // message.
        guard taken.count + refused.count < Self.mostRecipients else {
            hasTooMany = true
            return .refuseAsTooMany
        }
        guard let engine else {
            taken.append(mailbox)
            return .take
        }
        let address = MailAddress(mailbox[...])
        let kind = engine.kind(of: address)
        guard isAnswered, !cleared.contains(kind) else { return take(mailbox, kind) }
        switch engine.atRecipient(facts(), address, kind) {
        case .refuse(let verdict):
            if !isComplete() { note(facts(), isRefused: true) }
            return refuse(mailbox, verdict)
        case .wait where patience > .zero && !isComplete():
            waiting = (mailbox, kind)
            return .wait(number: waits, atMost: patience)
        case .proceed, .wait:
            let isComplete = isComplete()
            if isComplete, !taken.isEmpty { cleared.insert(kind) }
            return take(mailbox, kind, early: isComplete ? nil : facts())
        }
    }

    /// Decides about the waiting recipient, after another answer or when its time is over.
    ///
    /// - Parameters:
    ///   - number: the number of the wait; other waits are over.
    ///   - facts: the facts of the envelope so far.
    ///   - isComplete: whether all checks of the envelope have ended.
    ///   - waited: how long the recipient has waited.
    ///   - isLate: whether the time is over.
    /// - Returns: the decision; nil when the recipient continues to wait, or already has its answer.
    mutating func settle(
        _ number: Int,
        _ facts: @autoclosure () -> PolicyFacts,
        isComplete: @autoclosure () -> Bool,
        after waited: Duration,
        isLate: Bool
    ) -> Decision? {
        guard let engine, let (mailbox, kind) = waiting, number == waits else { return nil }
        let decision = engine.atRecipient(facts(), MailAddress(mailbox[...]), kind)
        if case .wait = decision, !isLate { return nil }
        waiting = nil
        waits += 1
        patience -= waited
        let early = isComplete() ? nil : facts()
        guard case .refuse(let verdict) = decision else { return take(mailbox, kind, early: early) }
        if let early { note(early, isRefused: true) }
        return refuse(mailbox, verdict)
    }

    /// Notes what was known when the next recipient to be taken or refused was answered.
    private mutating func note(_ facts: PolicyFacts, isRefused: Bool) {
        guard engine?.mayRefuseRecipients == true else { return }
        early[Transcript.Early(facts.ofEnvelope, isRefused: isRefused), default: []]
            .append(isRefused ? refused.count : taken.count)
    }

    private mutating func refuse(_ mailbox: [UInt8], _ verdict: PolicyVerdict) -> Decision {
        refused.append(mailbox)
        refusals.append(verdict)
        return .refuse(verdict)
    }

    /// Takes a recipient, or sends it away; `early` is what was known, where that was not everything.
    private mutating func take(_ mailbox: [UInt8], _ kind: RecipientKind, early: PolicyFacts? = nil) -> Decision {
        if let remembered {
            let own = remembered.group(of: mailbox)
            if let own, let group, own != group, sentAway.count < Self.mostSentAway {
                sentAway.append(mailbox)
                return .sendAway
            }
            group = group ?? own
            isAllRemembered = isAllRemembered && own != nil
        }
        if let early { note(early, isRefused: false) }
        kinds.append(MailAddress(mailbox[...]), kind)
        taken.append(mailbox)
        return .take
    }
}

// MARK: The end

extension RecipientGate {
    /// Whether the MTA waited for no answer, although a rule could have refused a recipient.
    var isUnanswered: Bool { !isAnswered && engine?.mayRefuseRecipients == true }

    /// Whether recipients of this sender's deferred messages are remembered.
    var isSeparating: Bool { group != nil }

    /// The reason why the message cannot be deferred; nil when it can.
    var obstacle: SeparationObstacle? {
        guard isAnswered else { return .noAnswerToRecipients }
        guard isSeparating, isAllRemembered else { return nil }
        return sentAway.count < Self.mostSentAway ? .putOffBefore : .tooManyToSeparate
    }
}
