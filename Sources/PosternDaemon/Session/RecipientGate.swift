internal import MailSyntax
internal import Policy

/// Decides about the recipients of one message: RCPT commands and answers of the DNS in, replies out.
///
/// It has no clock, no timer and no socket, so that a script can play any transaction. One recipient waits at most,
/// because the MTA sends no other before it has the answer.
struct RecipientGate {
    /// What to say to a recipient.
    enum Decision: Equatable {
        /// The recipient is taken.
        case take
        /// A rule refuses the recipient.
        case refuse(PolicyVerdict)
        /// The recipient is to come in another transaction: the rules treat it otherwise than the first one.
        case sendAway
        /// The message has too many recipients.
        case refuseAsTooMany
        /// An open check may decide: the answer is due when `settle` gives it, or when this time is over.
        case wait(number: Int, atMost: Duration)
    }

    /// How many recipients a message may name; MTAs have lower limits of their own.
    static let mostRecipients = 50_000

    /// How many recipients of a transaction are sent away.
    ///
    /// Postfix counts each as an error of its client, slows that down from the tenth on and ends its session at the
    /// twentieth (`smtpd_soft_error_limit`, `smtpd_hard_error_limit`).
    static let mostSentAway = 8

    private let engine: PolicyEngine?
    private let isAnswered: Bool
    private let remembered: PutOffRecipients?
    /// How long recipients may still wait, all together.
    private var patience: Duration
    private var waiting: (mailbox: [UInt8], kind: RecipientKind)?
    private var waits = 0
    /// Kinds that nothing of the envelope refuses any more, noted from the second recipient on.
    private var cleared: Set<RecipientKind> = []
    private var group: PutOffRecipients.Group?
    private var isAllRemembered = true

    /// The recipients that were taken.
    private(set) var taken: [[UInt8]] = []
    /// Their kinds, where the message is judged.
    private(set) var kinds = RecipientKinds()
    /// The recipients that rules refused.
    private(set) var refused: [[UInt8]] = []
    /// The verdicts on them.
    private(set) var refusals: [PolicyVerdict] = []
    /// How many recipients were sent away.
    private(set) var sentAway = 0
    /// Whether there were too many recipients.
    private(set) var hasTooMany = false

    /// A gate that takes every recipient, within bounds: for mail that is not judged.
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
    ///   - isAnswered: whether the MTA waits for an answer to RCPT; one that does not would deliver to whom we refuse.
    ///   - patience: how long recipients may wait, all together.
    ///   - remembered: recipients of earlier messages of this sender that were put off, when there are any.
    init(_ engine: PolicyEngine, isAnswered: Bool, patience: Duration, remembered: PutOffRecipients?) {
        self.engine = engine
        self.isAnswered = isAnswered
        self.patience = patience
        self.remembered = isAnswered ? remembered : nil
    }
}

// MARK: RCPT

extension RecipientGate {
    /// Decides about a recipient by what is known.
    ///
    /// - Parameters:
    ///   - mailbox: the recipient.
    ///   - facts: what is known of the envelope.
    ///   - isComplete: whether no check of the envelope is under way any more.
    mutating func recipient(
        _ mailbox: [UInt8],
        _ facts: @autoclosure () -> PolicyFacts,
        isComplete: @autoclosure () -> Bool
    ) -> Decision {
        // RFC 5321 § 4.5.3.1.10: what is beyond the bound is refused for now, and sent again in another message.
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
        case .refuse(let verdict): return refuse(mailbox, verdict)
        case .wait where patience > .zero && !isComplete():
            waiting = (mailbox, kind)
            return .wait(number: waits, atMost: patience)
        case .proceed, .wait:
            if !taken.isEmpty, isComplete() { cleared.insert(kind) }
            return take(mailbox, kind)
        }
    }

    /// Decides about the recipient that waits, after another answer or when there is no more time.
    ///
    /// - Parameters:
    ///   - number: the wait that is meant; others are over.
    ///   - facts: what is known now.
    ///   - waited: how long the recipient has waited.
    ///   - isLate: whether there is no more time.
    /// - Returns: the decision; nil when the recipient goes on waiting, or has its answer.
    mutating func settle(
        _ number: Int,
        _ facts: @autoclosure () -> PolicyFacts,
        after waited: Duration,
        isLate: Bool
    ) -> Decision? {
        guard let engine, let (mailbox, kind) = waiting, number == waits else { return nil }
        let decision = engine.atRecipient(facts(), MailAddress(mailbox[...]), kind)
        if case .wait = decision, !isLate { return nil }
        waiting = nil
        waits += 1
        patience -= waited
        if case .refuse(let verdict) = decision { return refuse(mailbox, verdict) }
        return take(mailbox, kind)
    }

    private mutating func refuse(_ mailbox: [UInt8], _ verdict: PolicyVerdict) -> Decision {
        refused.append(mailbox)
        refusals.append(verdict)
        return .refuse(verdict)
    }

    private mutating func take(_ mailbox: [UInt8], _ kind: RecipientKind) -> Decision {
        if let remembered {
            let own = remembered.group(of: mailbox)
            if let own, let group, own != group, sentAway < Self.mostSentAway {
                sentAway += 1
                return .sendAway
            }
            group = group ?? own
            isAllRemembered = isAllRemembered && own != nil
        }
        kinds.append(MailAddress(mailbox[...]), kind)
        taken.append(mailbox)
        return .take
    }
}

// MARK: The end

extension RecipientGate {
    /// Whether recipients of the message were remembered.
    var isSeparating: Bool { group != nil }

    /// What keeps the message from being put off; nil when nothing does.
    var obstacle: SeparationObstacle? {
        guard isAnswered else { return .noAnswerToRecipients }
        guard isSeparating, isAllRemembered else { return nil }
        return sentAway < Self.mostSentAway ? .putOffBefore : .tooManyToSeparate
    }
}
