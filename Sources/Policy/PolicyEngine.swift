/// Judges messages by rules.
public struct PolicyEngine: Sendable {
    /// The rules in their order.
    public let rules: [Rule]
    /// Whether they act.
    public let mode: PolicyMode
    /// What becomes of a message that is refused for some of its recipients only.
    public let mixed: MixedAction
    /// What becomes of a message that hangs on an answer that the DNS did not give.
    public let undecided: UndecidedAction
    /// The rules as they are asked.
    let prepared: [PreparedRule]
    /// The different conditions on recipients, of all rules.
    let recipientConditions: [Condition]
    /// For each rule, whether it or one below it can refuse a recipient before DATA.
    let mayRefuseEarly: [Bool]

    /// An engine for these rules.
    public init(
        rules: RuleSet,
        mode: PolicyMode,
        mixed: MixedAction = .junk,
        undecided: UndecidedAction = .tempfail
    ) {
        self.rules = rules.rules
        self.mode = mode
        self.mixed = mixed
        self.undecided = undecided
        var recipientConditions = [Condition]()
        prepared = rules.rules.map { PreparedRule($0, &recipientConditions) }
        self.recipientConditions = recipientConditions
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

    /// Whether a message can be put off so that its recipients come apart.
    public var mayPutOff: Bool {
        mode == .enforce && mixed == .defer
            && prepared.contains { $0.rule.isFinal && $0.isOfRecipient }
            && rules.contains { $0.isFinal && $0.action.isRefusal }
    }
}

// MARK: Before DATA

extension PolicyEngine {
    /// What to answer to RCPT TO, by what is known of the envelope.
    ///
    /// Only refusals are decided here. A rule that cannot be decided yet, and would end the evaluation if it matched,
    /// leaves everything to the end of the message.
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
    /// What to do with the message, once everything is known.
    ///
    /// - Parameters:
    ///   - facts: what is known; not asked for without rules.
    ///   - recipients: those that were not refused before; not asked for without rules.
    ///   - obstacle: what keeps the message from being put off; nil when nothing does.
    public func atEndOfMessage(
        _ facts: @autoclosure () -> PolicyFacts,
        _ recipients: @autoclosure () -> RecipientKinds,
        obstacle: SeparationObstacle? = nil
    ) -> PolicyVerdict {
        guard !rules.isEmpty else { return PolicyVerdict(stage: .endOfMessage) }
        guard mode == .enforce else { return judge(facts(), recipients()) }
        return conclude(facts(), recipients(), early: [], obstacle)
    }

    /// What to do with a message whose envelope and content are both known: first each recipient, then the message.
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
    /// What a rule that matched says.
    init(_ match: RuleMatch) {
        self.init(action: match.action, rule: match.rule, reply: match.reply, stage: match.stage)
    }
}

extension RuleMatch {
    /// The rule of an outcome that one decided.
    init?(_ outcome: RecipientOutcome) {
        guard let rule = outcome.rule else { return nil }
        self.init(rule: rule, action: outcome.action, stage: outcome.stage, reply: outcome.reply)
    }
}
