internal import MailSyntax

/// A group of conditions that must all hold.
struct ConditionGroup: Sendable {
    /// The conditions that are the same for all recipients.
    let shared: [Condition]
    /// The places of the other conditions among the engine's conditions on recipients.
    let ofRecipient: [Int]

    /// A group of conditions; adds those on recipients to `recipientConditions` unless it has them already.
    init(_ conditions: [Condition], _ recipientConditions: inout [Condition]) {
        shared = conditions.filter { !$0.name.isOfRecipient }
        ofRecipient = conditions.filter(\.name.isOfRecipient).map { condition in
            if let place = recipientConditions.firstIndex(where: { $0.asksTheSame(as: condition) }) { return place }
            recipientConditions.append(condition)
            return recipientConditions.count - 1
        }
    }

    /// Whether the conditions that are the same for all recipients hold.
    func holdsForAll(_ facts: PolicyFacts, needsAnswers: Bool) -> Truth {
        var truth = Truth.yes
        for condition in shared {
            truth = truth && condition.holds(facts, needsAnswers: needsAnswers)
            if truth == .no { break }
        }
        return truth
    }

    /// Whether all conditions hold for recipients of a kind; nil when there is no recipient.
    func holds(_ facts: PolicyFacts, _ kind: RecipientKind?, needsAnswers: Bool) -> Truth {
        let truth = holdsForAll(facts, needsAnswers: needsAnswers)
        guard truth != .no, !ofRecipient.isEmpty else { return truth }
        guard let kind else { return .unknown }
        return ofRecipient.allSatisfy(kind.contains) ? truth : .no
    }
}

/// A rule in the form in which the engine evaluates it.
///
/// A class, because a copy of all its conditions would cost more than most of its questions.
final class PreparedRule: Sendable {
    /// The result of evaluating the rule.
    enum Answer: Sendable {
        /// The rule does not match.
        case no
        /// Only an exemption keeps the rule from matching.
        case exempted
        /// The rule is on DMARC, and only an excuse keeps it from matching.
        case excused(DMARCExcuse)
        /// A fact that the rule needs is unknown; `applies` tells whether only an exemption needs it.
        case unknown(applies: Bool)
        /// The check behind a condition got no answer.
        case unanswered(ConditionName)
        /// The rule matches.
        case yes
    }

    let rule: Rule
    let when: ConditionGroup
    /// Whether a condition of `when` is on DMARC, so that an excuse keeps the rule from matching.
    let isOnDMARC: Bool
    private let unless: [ConditionGroup]

    init(_ rule: Rule, _ recipientConditions: inout [Condition]) {
        self.rule = rule
        when = ConditionGroup(rule.when, &recipientConditions)
        var unless = [ConditionGroup]()
        for conditions in rule.unless { unless.append(ConditionGroup(conditions, &recipientConditions)) }
        self.unless = unless
        isOnDMARC = rule.asksForDMARC
    }

    /// Whether the result can differ between recipients.
    var isOfRecipient: Bool { !when.ofRecipient.isEmpty || unless.contains { !$0.ofRecipient.isEmpty } }

    /// Whether the rule cannot match for any recipient.
    func isOut(_ facts: PolicyFacts) -> Bool {
        when.holdsForAll(facts, needsAnswers: rule.action.needsAnswers) == .no
    }

    /// Evaluates the rule for recipients of a kind.
    ///
    /// - Parameter forwarder: whether a trusted forwarder has sent the message to them.
    func ask(_ facts: PolicyFacts, _ kind: RecipientKind?, _ forwarder: ForwarderFinding = .none) -> Answer {
        let needsAnswers = rule.action.needsAnswers
        var applies = when.holds(facts, kind, needsAnswers: needsAnswers)
        guard applies != .no else { return .no }
        if isOnDMARC {
            if let excuse = forwarder.excuse { return applies == .yes ? .excused(excuse) : .no }
            if forwarder.open != nil, needsAnswers { applies = applies && .unanswered }
        }
        let exempts = unless.reduce(Truth.no) { $0 || $1.holds(facts, kind, needsAnswers: needsAnswers) }
        switch applies && !exempts {
        case .no: return applies == .yes ? .exempted : .no
        case .unknown: return .unknown(applies: applies == .yes)
        case .unanswered: return .unanswered(rule.unanswered(facts) ?? forwarder.open ?? .result(.dmarc))
        case .yes: return .yes
        }
    }

    /// The verified mailing list that exempts the message from this rule on DMARC; nil when none does.
    func list(_ facts: PolicyFacts, _ kind: RecipientKind?) -> DMARCExcuse? {
        guard isOnDMARC, facts.results.dmarc == .fail, facts.listVerified == .yes else { return nil }
        let exempts = unless.contains { group in
            group.shared.contains { $0.name == .fact(.listVerified) }
                && group.holds(facts, kind, needsAnswers: rule.action.needsAnswers) == .yes
        }
        return exempts ? facts.listDomains?.first.map { DMARCExcuse(.mailingList, $0.description) } : nil
    }

    /// Whether any unknown condition waits for the DNS and will be known before DATA.
    func awaitsEarlyLookup(_ facts: PolicyFacts) -> Bool {
        rule.conditions.contains { $0.name.isLookedUpEarly && $0.holds(facts) == .unknown }
    }
}

extension Rule {
    /// The first condition whose check got no answer.
    fileprivate func unanswered(_ facts: PolicyFacts) -> ConditionName? {
        conditions.first { $0.holds(facts, needsAnswers: true) == .unanswered }?.name
    }

    /// Whether the rule itself decides about a message for which a check got no answer.
    func decidesNoAnswer(of check: ConditionName, _ facts: PolicyFacts) -> Bool {
        when.contains { $0.name.check == check && $0.namesNoAnswer && facts.word($0.name) == .temperror }
    }

    /// The rule's name and place.
    var reference: RuleReference { RuleReference(name: name, location: location) }

    /// The match of the rule, with the reply if it refuses.
    func match(_ facts: PolicyFacts, _ recipient: MailAddress?, _ stage: PolicyStage) -> RuleMatch {
        RuleMatch(
            rule: reference,
            action: action,
            stage: stage,
            reply: action.isRefusal ? makeReply(facts, recipient: recipient) : nil
        )
    }
}
