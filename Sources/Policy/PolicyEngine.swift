/// Judges messages by rules.
public struct PolicyEngine: Sendable {
    /// The rules in their order.
    public let rules: [Rule]
    /// Whether they act.
    public let mode: PolicyMode
    /// For each rule, whether it or one below it can refuse a recipient before DATA.
    private let mayRefuseEarly: [Bool]

    /// An engine for these rules.
    public init(rules: RuleSet, mode: PolicyMode) {
        self.rules = rules.rules
        self.mode = mode
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

    /// What to answer to RCPT TO, by what is known of the envelope.
    ///
    /// Only refusals are decided here. A rule that cannot be decided yet, and would end the evaluation if it matched,
    /// leaves everything to the end of the message.
    public func atRecipient(
        _ facts: @autoclosure () -> PolicyFacts,
        _ recipient: @autoclosure () -> MailAddress
    ) -> RecipientDecision {
        guard mayRefuseRecipients else { return .proceed }
        return decide(facts().ofEnvelope, recipient())
    }

    private func decide(_ facts: PolicyFacts, _ recipient: MailAddress) -> RecipientDecision {
        var verdict = PolicyVerdict(stage: .rcpt)
        for (index, rule) in rules.enumerated() {
            // Nothing below can refuse before DATA.
            guard mayRefuseEarly[index] else { return .proceed }
            let applies = rule.applies(facts, for: recipient)
            guard applies != .no else { continue }
            let exempts = rule.exempts(facts, for: recipient)
            switch applies && !exempts {
            case .no:
                if applies == .yes { verdict.exempted.append(rule.reference) }
            case .unknown:
                if rule.isFinal { return rule.awaitsEarlyLookup(facts, for: recipient) ? .wait : .proceed }
            case .yes:
                let match = rule.match(facts, recipient, .rcpt)
                if !verdict.note(match, of: rule) {
                    guard rule.action.isRefusal else { return .proceed }
                    verdict.take(match)
                    return .refuse(verdict)
                }
            }
        }
        return .proceed
    }

    /// What to do with the message, once everything is known; `facts.recipients` are those not refused before.
    public func atEndOfMessage(_ facts: @autoclosure () -> PolicyFacts) -> PolicyVerdict {
        guard !rules.isEmpty else { return PolicyVerdict(stage: .endOfMessage) }
        return mode == .enforce ? conclude(facts()) : judge(facts())
    }

    /// What to do with a message whose envelope and content are both known: first each recipient, then the message.
    ///
    /// Recipients that are refused by themselves while others are not show in `partial`.
    public func judge(_ facts: PolicyFacts) -> PolicyVerdict {
        let verdict = enforced(facts)
        guard mode == .observe, verdict.action != .accept else { return verdict }
        var observed = verdict
        observed.action = .accept
        observed.rule = nil
        observed.reply = nil
        observed.would = verdict.rule.map {
            RuleMatch(rule: $0, action: verdict.action, stage: verdict.stage, reply: verdict.reply)
        }
        return observed
    }

    private func enforced(_ facts: PolicyFacts) -> PolicyVerdict {
        let (refusal, remaining) = atRecipients(facts)
        if let refusal, remaining.isEmpty { return refusal }
        var rest = facts
        rest.recipients = remaining
        var verdict = conclude(rest)
        if verdict.partial == nil, let refusal, let rule = refusal.rule {
            verdict.partial = PartialMatch(
                match: RuleMatch(rule: rule, action: refusal.action, stage: .rcpt, reply: refusal.reply),
                recipients: facts.recipients.count - remaining.count,
                of: facts.recipients.count
            )
        }
        return verdict
    }

    /// The first refusal of a recipient, and the recipients that are not refused.
    func atRecipients(_ facts: PolicyFacts) -> (refusal: PolicyVerdict?, remaining: [MailAddress]) {
        let envelope = facts.ofEnvelope
        var remaining = [MailAddress]()
        var refusal: PolicyVerdict?
        for recipient in facts.recipients {
            if case .refuse(let verdict) = decide(envelope, recipient) {
                refusal = refusal ?? verdict
            } else {
                remaining.append(recipient)
            }
        }
        return (refusal, remaining)
    }

    private func conclude(_ facts: PolicyFacts) -> PolicyVerdict {
        var verdict = PolicyVerdict(stage: .endOfMessage)
        for rule in rules {
            let matched = rule.matchedRecipients(facts, exempted: &verdict.exempted)
            guard matched.count > 0 else { continue }
            let match = rule.match(facts, matched.first, .endOfMessage)
            if matched.count < matched.of {
                // The rule asks for what its other recipients must not suffer. So nothing is done, and no later rule
                // does it in its stead. A rule that would not have ended the evaluation does not do so now.
                guard rule.isFinal else { continue }
                verdict.partial = PartialMatch(match: match, recipients: matched.count, of: matched.of)
                return verdict
            }
            if !verdict.note(match, of: rule) {
                verdict.take(match)
                return verdict
            }
        }
        return verdict
    }
}

extension PolicyVerdict {
    /// Keeps a match that does not end the evaluation; false for one that does.
    fileprivate mutating func note(_ match: RuleMatch, of rule: Rule) -> Bool {
        if rule.observe {
            observed.append(match)
        } else if rule.action == .mark {
            marks.append(match.rule)
        } else {
            return false
        }
        return true
    }

    fileprivate mutating func take(_ match: RuleMatch) {
        action = match.action
        rule = match.rule
        reply = match.reply
    }
}

extension Rule {
    /// The rule's name and place.
    var reference: RuleReference { RuleReference(name: name, location: location) }

    func match(_ facts: PolicyFacts, _ recipient: MailAddress?, _ stage: PolicyStage) -> RuleMatch {
        RuleMatch(
            rule: reference,
            action: action,
            stage: stage,
            reply: action.isRefusal ? makeReply(facts, recipient: recipient) : nil
        )
    }

    /// How many recipients the rule matches, and the first of them; one of one when it asks for no recipient.
    ///
    /// What is not known at the end of the message holds for no one: neither the condition nor its negation, and where
    /// an exemption could not be looked up, the rule does not act.
    func matchedRecipients(
        _ facts: PolicyFacts,
        exempted: inout [RuleReference]
    ) -> (count: Int, of: Int, first: MailAddress?) {
        guard isOfRecipient, !facts.recipients.isEmpty else {
            guard applies(facts, for: nil) == .yes else { return (0, 1, nil) }
            if exempts(facts, for: nil) == .no { return (1, 1, nil) }
            exempted.append(reference)
            return (0, 1, nil)
        }
        var count = 0
        var first: MailAddress?
        var isExempt = false
        for recipient in facts.recipients where applies(facts, for: recipient) == .yes {
            if exempts(facts, for: recipient) == .no {
                if count == 0 { first = recipient }
                count += 1
            } else {
                isExempt = true
            }
        }
        if isExempt { exempted.append(reference) }
        return (count, facts.recipients.count, first)
    }
}
