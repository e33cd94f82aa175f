/// Conditions of which all must hold.
struct ConditionGroup: Sendable {
    /// Those that are the same for all recipients.
    let shared: [Condition]
    /// The places of the others among the engine's conditions on recipients.
    let ofRecipient: [Int]

    /// The conditions; those on recipients are added to `recipientConditions` unless they are there.
    init(_ conditions: [Condition], _ recipientConditions: inout [Condition]) {
        shared = conditions.filter { !$0.name.isOfRecipient }
        ofRecipient = conditions.filter(\.name.isOfRecipient).map { condition in
            if let place = recipientConditions.firstIndex(where: { $0.asksTheSame(as: condition) }) { return place }
            recipientConditions.append(condition)
            return recipientConditions.count - 1
        }
    }

    /// Whether those that are the same for all recipients hold.
    func holdsForAll(_ facts: PolicyFacts, needsAnswers: Bool) -> Truth {
        var truth = Truth.yes
        for condition in shared {
            truth = truth && condition.holds(facts, needsAnswers: needsAnswers)
            if truth == .no { break }
        }
        return truth
    }

    /// Whether all hold for recipients of a kind; nil where there is no recipient.
    func holds(_ facts: PolicyFacts, _ kind: RecipientKind?, needsAnswers: Bool) -> Truth {
        let truth = holdsForAll(facts, needsAnswers: needsAnswers)
        guard truth != .no, !ofRecipient.isEmpty else { return truth }
        guard let kind else { return .unknown }
        return ofRecipient.allSatisfy(kind.contains) ? truth : .no
    }
}

/// A rule as the engine asks it.
struct PreparedRule: Sendable {
    /// What became of asking it.
    enum Answer: Sendable {
        /// It does not match.
        case no
        /// It would match but for an exemption.
        case exempted
        /// Something that it asks is not known; `applies` tells whether that is about an exemption only.
        case unknown(applies: Bool)
        /// The check behind a condition got no answer.
        case unanswered(ConditionName)
        /// It matches.
        case yes
    }

    let rule: Rule
    let when: ConditionGroup
    private let unless: [ConditionGroup]

    init(_ rule: Rule, _ recipientConditions: inout [Condition]) {
        self.rule = rule
        when = ConditionGroup(rule.when, &recipientConditions)
        var unless = [ConditionGroup]()
        for conditions in rule.unless { unless.append(ConditionGroup(conditions, &recipientConditions)) }
        self.unless = unless
    }

    /// Whether the answer can differ between recipients.
    var isOfRecipient: Bool { !when.ofRecipient.isEmpty || unless.contains { !$0.ofRecipient.isEmpty } }

    /// Whether the rule cannot match, whoever the recipient is.
    func isOut(_ facts: PolicyFacts) -> Bool {
        when.holdsForAll(facts, needsAnswers: rule.action.needsAnswers) == .no
    }

    /// Asks the rule about recipients of a kind.
    func ask(_ facts: PolicyFacts, _ kind: RecipientKind?) -> Answer {
        let needsAnswers = rule.action.needsAnswers
        let applies = when.holds(facts, kind, needsAnswers: needsAnswers)
        guard applies != .no else { return .no }
        let exempts = unless.reduce(Truth.no) { $0 || $1.holds(facts, kind, needsAnswers: needsAnswers) }
        switch applies && !exempts {
        case .no: return applies == .yes ? .exempted : .no
        case .unknown: return .unknown(applies: applies == .yes)
        case .unanswered: return .unanswered(rule.unanswered(facts) ?? .dmarc)
        case .yes: return .yes
        }
    }

    /// Whether any unanswered condition waits for the DNS and will be answered before DATA.
    func awaitsEarlyLookup(_ facts: PolicyFacts) -> Bool {
        rule.conditions.contains { $0.name.isLookedUpEarly && $0.holds(facts) == .unknown }
    }
}

extension Rule {
    /// The first condition whose check got no answer.
    fileprivate func unanswered(_ facts: PolicyFacts) -> ConditionName? {
        conditions.first { $0.holds(facts, needsAnswers: true) == .unanswered }?.name
    }

    /// Whether the rule itself says what becomes of a message for which a check got no answer.
    func decidesNoAnswer(of check: ConditionName, _ facts: PolicyFacts) -> Bool {
        when.contains { $0.name.check == check && $0.namesNoAnswer && facts.word($0.name) == .temperror }
    }

    /// The rule's name and place.
    var reference: RuleReference { RuleReference(name: name, location: location) }

    /// The match of the rule, with the reply of a refusal.
    func match(_ facts: PolicyFacts, _ recipient: MailAddress?, _ stage: PolicyStage) -> RuleMatch {
        RuleMatch(
            rule: reference,
            action: action,
            stage: stage,
            reply: action.isRefusal ? makeReply(facts, recipient: recipient) : nil
        )
    }
}
