/// Judges messages by rules.
///
/// A class, because it is large and every message refers to it.
public final class PolicyEngine: Sendable {
    /// The rules in their order.
    public let rules: [Rule]
    /// Whether the rules act.
    public let mode: PolicyMode
    /// The action for a message that is refused for some of its recipients only.
    public let mixed: MixedAction
    /// The action for a message whose verdict depends on an answer that the DNS did not give.
    public let undecided: UndecidedAction
    /// The rules in the form in which they are evaluated.
    let prepared: [PreparedRule]
    /// The distinct conditions on recipients, of all rules.
    let recipientConditions: [Condition]
    /// The trusted forwarders, each with the place of its condition on recipients among `recipientConditions`.
    let forwarders: [(forwarder: TrustedForwarder, place: Int?)]
    /// Whether a rule asks for a fact that an event may lack although all checks were made.
    let asksForDerived: Bool
    /// Whether a rule asks about the chain of seals, which most configurations do not check.
    let asksForChain: Bool
    /// Whether a message can be deferred so that its recipients come separately.
    public let mayPutOff: Bool
    /// For each rule, whether it or a rule below it can refuse a recipient before DATA.
    let mayRefuseEarly: [Bool]

    /// An engine for these rules.
    public init(
        rules: RuleSet,
        forwarders: [TrustedForwarder] = [],
        mode: PolicyMode,
        mixed: MixedAction = .junk,
        undecided: UndecidedAction = .tempfail
    ) {
        self.rules = rules.rules
        self.mode = mode
        self.mixed = mixed
        self.undecided = undecided
        var recipientConditions = [Condition]()
        let prepared = rules.rules.map { PreparedRule($0, &recipientConditions) }
        self.prepared = prepared
        self.forwarders = forwarders.map { forwarder in
            let recipients = forwarder.recipients.map { ConditionGroup([$0], &recipientConditions) }
            return (forwarder, recipients?.ofRecipient.first)
        }
        // A forwarder may be trusted for some recipients only.
        let excusesSome = self.forwarders.contains { $0.place != nil }
        mayPutOff =
            mode == .enforce && mixed == .defer
            && prepared.contains { $0.rule.isFinal && ($0.isOfRecipient || $0.isOnDMARC && excusesSome) }
            && rules.rules.contains { $0.isFinal && $0.action.isRefusal }
        self.recipientConditions = recipientConditions
        let conditions = rules.rules.flatMap(\.conditions) + forwarders.flatMap(\.conditions)
        asksForChain = conditions.contains { $0.name.checks.contains(.arc) }
        asksForDerived = conditions.contains(where: \.name.isDerived)
        var below = false
        var mayRefuse = [Bool]()
        for rule in rules.rules.reversed() {
            below = below || (rule.isFinal && rule.action.isRefusal && rule.isOfEnvelope)
            mayRefuse.append(below)
        }
        mayRefuseEarly = mayRefuse.reversed()
    }

    /// Whether any rule can refuse a recipient before DATA.
    public var mayRefuseRecipients: Bool { mode == .enforce && mayRefuseEarly.first == true }
}

// MARK: Before DATA

extension PolicyEngine {
    /// The answer to RCPT TO, by the known facts of the envelope.
    ///
    /// Only refusals are decided here. A rule that is still undecided, and would end the evaluation if it matched,
    /// leaves the decision to the end of the message.
    public func atRecipient(
        _ facts: @autoclosure () -> PolicyFacts,
        _ recipient: @autoclosure () -> MailAddress,
        _ kind: RecipientKind
    ) -> RecipientDecision {
        guard mayRefuseRecipients else { return .proceed }
        let facts = facts().ofEnvelope
        switch evaluateEarly(facts, kind) {
        case .proceed: return .proceed
        case .wait: return .wait
        case .refuse(let evaluation): return .refuse(verdict(evaluation, facts, recipient(), .rcpt))
        }
    }
}

// MARK: At the end

extension PolicyEngine {
    /// The verdict for the message, once all facts are known.
    ///
    /// - Parameters:
    ///   - facts: the known facts; not evaluated without rules.
    ///   - recipients: the recipients that were not refused earlier; not evaluated without rules.
    ///   - obstacle: the reason why the message cannot be deferred; nil when it can.
    public func atEndOfMessage(
        _ facts: @autoclosure () -> PolicyFacts,
        _ recipients: @autoclosure () -> RecipientKinds,
        obstacle: SeparationObstacle? = nil
    ) -> PolicyVerdict {
        guard !rules.isEmpty else { return PolicyVerdict(stage: .endOfMessage) }
        guard mode == .enforce else { return judge(facts(), recipients()) }
        return conclude(facts(), recipients(), early: [], obstacle)
    }

    /// The verdict for a message whose envelope and content are both known: recipients first, then the message.
    public func judge(_ facts: PolicyFacts, _ recipients: RecipientKinds) -> PolicyVerdict {
        let verdict = enforced(facts, recipients)
        guard mode == .observe else { return verdict }
        let acting = verdict.action == .accept ? verdict.mixture?.outcomes.first { $0.stage == .rcpt } : nil
        guard verdict.action != .accept || acting != nil else { return verdict }
        var observed = verdict
        observed.action = .accept
        observed.rule = nil
        observed.reply = nil
        observed.would =
            acting.flatMap(RuleMatch.init)
            ?? verdict.rule.map {
                RuleMatch(rule: $0, action: verdict.action, stage: verdict.stage, reply: verdict.reply)
            }
        return observed
    }

    private func enforced(_ facts: PolicyFacts, _ recipients: RecipientKinds) -> PolicyVerdict {
        guard mayRefuseEarly.first == true else { return conclude(facts, recipients, early: [], nil) }
        let envelope = facts.ofEnvelope
        let early = recipients.members.map { member -> Evaluation? in
            if case .refuse(let evaluation) = evaluateEarly(envelope, member.kind) { evaluation } else { nil }
        }
        return conclude(facts, recipients, early: early, nil)
    }
}

extension RecipientOutcome {
    /// The outcome of a rule that matched.
    init(_ match: RuleMatch) {
        self.init(action: match.action, rule: match.rule, reply: match.reply, stage: match.stage)
    }
}

extension RuleMatch {
    /// The match of the rule that decided an outcome; nil when no rule decided.
    init?(_ outcome: RecipientOutcome) {
        guard let rule = outcome.rule else { return nil }
        self.init(rule: rule, action: outcome.action, stage: outcome.stage, reply: outcome.reply)
    }
}
