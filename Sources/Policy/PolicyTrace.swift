/// What a rule made of a message, for people.
public struct RuleTrace: Hashable, Sendable {
    /// What came out.
    public enum Outcome: String, Sendable {
        /// The rule matched and decided.
        case decided
        /// It matched, and evaluation went on (`mark`, `observe = true`).
        case noted
        /// It would have matched but for an exemption.
        case exempted
        /// It did not match.
        case no
        /// It could not be told.
        case unknown
        /// It could not be told, because the DNS gave no answer.
        case unanswered
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

/// The rules as recipients of one kind meet them.
public struct RecipientExplanation: Sendable {
    /// The recipients, by their places among those of the message; empty for a message without.
    public internal(set) var recipients: [Int] = []
    /// The rules in their order.
    public let rules: [RuleTrace]
}

extension PolicyEngine {
    /// The rules in order with each condition's value, for a message whose facts are all known, as each kind of
    /// recipient meets them: by the envelope alone where that refuses the recipient, else by everything.
    public func explain(_ facts: PolicyFacts, _ recipients: RecipientKinds) -> [RecipientExplanation] {
        guard !recipients.members.isEmpty else { return [RecipientExplanation(rules: explain(facts, nil))] }
        var explanations = recipients.members.map { RecipientExplanation(rules: explain(facts, $0)) }
        for (place, member) in recipients.memberOfEach.enumerated() {
            explanations[member].recipients.append(place)
        }
        return explanations
    }

    private func explain(_ facts: PolicyFacts, _ member: RecipientKinds.Member?) -> [RuleTrace] {
        var facts = facts
        if let member, case .refuse = evaluateEarly(facts.ofEnvelope, member.kind) { facts = facts.ofEnvelope }
        var isDecided = false
        return prepared.map { prepared in
            let outcome = isDecided ? .notReached : prepared.outcome(facts, member?.kind)
            isDecided = isDecided || outcome == .decided
            return RuleTrace(
                rule: prepared.rule.reference,
                action: prepared.rule.action,
                outcome: outcome,
                conditions: prepared.rule.trace(facts, for: member?.first)
            )
        }
    }
}

extension PreparedRule {
    fileprivate func outcome(_ facts: PolicyFacts, _ kind: RecipientKind?) -> RuleTrace.Outcome {
        switch ask(facts, kind) {
        case .no: .no
        case .exempted, .unknown(applies: true): .exempted
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
