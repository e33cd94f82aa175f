/// What a rule made of a message, for people.
public struct RuleTrace: Hashable, Sendable {
    /// What came out.
    public enum Outcome: String, Sendable {
        /// The rule matched and decided.
        case decided
        /// It matched, and evaluation went on (`mark`, `observe = true`).
        case noted
        /// It matched some recipients only: it ended the evaluation without acting.
        case partial
        /// It would have matched but for an exemption.
        case exempted
        /// It did not match.
        case no
        /// It could not be told.
        case unknown
        /// An earlier rule had decided.
        case notReached = "not reached"
    }

    /// One condition.
    public struct ConditionTrace: Hashable, Sendable {
        /// The condition's name.
        public let name: ConditionName
        /// Whether it belongs to an exemption, and to which, from 0.
        public let exemption: Int?
        /// What it asks for, as the configuration writes it.
        public let wanted: String
        /// The fact, printable; nil when it is not known.
        public let actual: String?
        /// Whether it holds.
        public let holds: Truth
        /// Where it stands.
        public let location: PolicyLocation
    }

    /// The rule.
    public let rule: RuleReference
    /// What it asks for.
    public let action: RuleAction
    /// What came out.
    public let outcome: Outcome
    /// The conditions in the order of the file, for the recipient asked about.
    public let conditions: [ConditionTrace]
}

extension PolicyEngine {
    /// The rules in order with each condition's value, for a message whose facts are all known.
    ///
    /// As the message would meet them: by its envelope alone when that is refused as a whole, else by everything, with
    /// the recipients that are left.
    public func explain(_ facts: PolicyFacts) -> [RuleTrace] {
        let (refusal, remaining) = atRecipients(facts)
        var facts = facts
        if refusal != nil, remaining.isEmpty {
            facts = facts.ofEnvelope
            facts.recipients = Array(facts.recipients.prefix(1))
        } else {
            facts.recipients = remaining
        }
        var isDecided = false
        return rules.map { rule in
            let outcome = isDecided ? .notReached : outcome(rule, facts)
            isDecided = isDecided || outcome == .decided || outcome == .partial
            return RuleTrace(
                rule: rule.reference,
                action: rule.action,
                outcome: outcome,
                conditions: rule.trace(facts, for: facts.recipients.first)
            )
        }
    }

    private func outcome(_ rule: Rule, _ facts: PolicyFacts) -> RuleTrace.Outcome {
        var exempted = [RuleReference]()
        let matched = rule.matchedRecipients(facts, exempted: &exempted)
        guard matched.count > 0 else {
            if !exempted.isEmpty { return .exempted }
            return rule.applies(facts, for: facts.recipients.first) == .unknown ? .unknown : .no
        }
        if matched.count < matched.of { return rule.isFinal ? .partial : .no }
        return rule.isFinal ? .decided : .noted
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
                holds: condition.holds(facts, for: recipient),
                location: condition.location
            )
        }
        return when.map { trace($0, nil) }
            + unless.enumerated().flatMap { index, conditions in conditions.map { trace($0, index) } }
    }
}
