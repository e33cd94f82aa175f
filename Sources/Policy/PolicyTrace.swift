/// The evaluation of a rule for a message, for people.
public struct RuleTrace: Hashable, Sendable {
    /// The outcome of a rule.
    public enum Outcome: String, Sendable {
        /// The rule matched and decided.
        case decided
        /// The rule matched, and evaluation went on (`mark`, `observe = true`).
        case noted
        /// Only an exemption kept the rule from matching.
        case exempted
        /// A trusted forwarder excuses the message from this rule on DMARC.
        case excused
        /// The conditions hold, and it is unknown whether an exemption does.
        case exemptionUnknown = "exemption unknown"
        /// The rule did not match.
        case no
        /// It is unknown whether the rule matches.
        case unknown
        /// It is unknown whether the rule matches, because the DNS gave no answer.
        case unanswered
        /// An earlier rule had decided.
        case notReached = "not reached"
    }

    /// One condition.
    public struct ConditionTrace: Hashable, Sendable {
        /// The condition's name.
        public let name: ConditionName
        /// The index of the exemption that the condition belongs to, from 0; nil for none.
        public let exemption: Int?
        /// The wanted values, as the configuration writes them.
        public let wanted: String
        /// The fact, printable; nil when it is not known.
        public let actual: String?
        /// Whether the condition holds.
        public let holds: Truth
        /// The place of the condition in the file.
        public let location: PolicyLocation
    }

    /// The rule.
    public let rule: RuleReference
    /// The action of the rule.
    public let action: RuleAction
    /// Whether the rule is only on trial.
    public let isOnTrial: Bool
    /// The outcome of the rule.
    public let outcome: Outcome
    /// The excuse, where the outcome is `excused`.
    public let excuse: DMARCExcuse?
    /// The conditions in the order of the file, for the given recipient.
    public let conditions: [ConditionTrace]
}

/// The rules as evaluated for recipients of one kind.
public struct RecipientExplanation: Sendable {
    /// The positions of the recipients among those of the message; empty for a message without recipients.
    public internal(set) var recipients: [Int] = []
    /// The rules in their order.
    public let rules: [RuleTrace]
}

extension PolicyEngine {
    /// The rules in order with the value of each condition, for a message whose facts are all known.
    ///
    /// There is an explanation for each kind of recipient: by the envelope alone if that refuses the recipient,
    /// otherwise by all facts.
    ///
    /// - Parameters:
    ///   - facts: the facts.
    ///   - recipients: the recipients.
    ///   - mayRefuseEarly: whether the envelope alone can refuse a recipient.
    public func explain(
        _ facts: PolicyFacts,
        _ recipients: RecipientKinds,
        mayRefuseEarly: Bool = true
    ) -> [RecipientExplanation] {
        guard !recipients.members.isEmpty else {
            return [RecipientExplanation(rules: explain(facts, nil, early: false))]
        }
        var explanations = recipients.members.map {
            RecipientExplanation(rules: explain(facts, $0, early: mayRefuseEarly))
        }
        for (place, member) in recipients.memberOfEach.enumerated() {
            explanations[member].recipients.append(place)
        }
        return explanations
    }

    private func explain(_ facts: PolicyFacts, _ member: RecipientKinds.Member?, early: Bool) -> [RuleTrace] {
        var facts = facts
        if early, let member, case .refuse = evaluateEarly(facts.ofEnvelope, member.kind) { facts = facts.ofEnvelope }
        var isDecided = false
        let forwarder = forwarder(facts, member?.kind)
        return prepared.map { prepared in
            let outcome = isDecided ? .notReached : prepared.outcome(facts, member?.kind, forwarder)
            isDecided = isDecided || outcome == .decided
            return RuleTrace(
                rule: prepared.rule.reference,
                action: prepared.rule.action,
                isOnTrial: prepared.rule.observe,
                outcome: outcome,
                excuse: outcome == .excused ? forwarder.excuse : nil,
                conditions: prepared.rule.trace(facts, for: member?.first)
            )
        }
    }
}

extension PreparedRule {
    fileprivate func outcome(
        _ facts: PolicyFacts,
        _ kind: RecipientKind?,
        _ forwarder: ForwarderFinding
    ) -> RuleTrace.Outcome {
        switch ask(facts, kind, forwarder) {
        case .no: .no
        case .excused: .excused
        case .exempted: .exempted
        case .unknown(applies: true): .exemptionUnknown
        case .unknown(applies: false): .unknown
        case .unanswered: .unanswered
        case .yes: rule.isFinal ? .decided : .noted
        }
    }
}

extension Rule {
    fileprivate func trace(_ facts: PolicyFacts, for recipient: MailAddress?) -> [RuleTrace.ConditionTrace] {
        func trace(_ condition: Condition, _ exemption: Int?) -> RuleTrace.ConditionTrace {
            RuleTrace.ConditionTrace(
                name: condition.name,
                exemption: exemption,
                wanted: condition.text,
                actual: facts.text(condition.name, for: recipient),
                holds: condition.holds(facts, for: recipient, needsAnswers: action.needsAnswers),
                location: condition.location
            )
        }
        return when.map { trace($0, nil) }
            + unless.enumerated().flatMap { index, conditions in conditions.map { trace($0, index) } }
    }
}

extension Condition {
    fileprivate func holds(_ facts: PolicyFacts, for recipient: MailAddress?, needsAnswers: Bool) -> Truth {
        guard name.isOfRecipient else { return holds(facts, needsAnswers: needsAnswers) }
        return recipient.map { Truth(holds(for: $0, $0.domain)) } ?? .unknown
    }
}
