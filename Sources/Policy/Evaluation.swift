/// A rule, by its place, with the condition whose check got no answer.
struct UnansweredRule: Hashable {
    let place: Int
    let condition: ConditionName
}

/// What the rules say of recipients of one kind: places of rules.
struct Evaluation {
    /// The rule that decides; nil when none does, and the message is accepted.
    var decided: Int?
    /// The rules with `mark` that matched.
    var marks: [Int] = []
    /// The rules on trial that matched.
    var trials: [Int] = []
    /// The rules that would have matched but for an exemption.
    var exempted: [Int] = []
    /// The rules that would end the evaluation if they matched, of which the DNS left open whether they do.
    var unanswered: [UnansweredRule] = []
    /// Whether the message hangs on one of these.
    var isUndecided = false

    /// Takes a rule that matched, and returns whether it ends the evaluation.
    mutating func take(_ rule: Rule, at place: Int) -> Bool {
        if rule.observe {
            trials.append(place)
        } else if rule.action == .mark {
            marks.append(place)
        } else {
            decided = place
            return true
        }
        return false
    }

    /// Takes a rule of which it is not known whether it matches.
    mutating func note(_ rule: Rule, at place: Int, unanswered condition: ConditionName) {
        if rule.isFinal { unanswered.append(UnansweredRule(place: place, condition: condition)) }
    }

    /// Whether the same rule decides, or is not decided.
    func decidesAs(_ other: Evaluation) -> Bool {
        guard isUndecided == other.isUndecided else { return false }
        return isUndecided ? unanswered.first == other.unanswered.first : decided == other.decided
    }

    /// Adds what the rules say besides of recipients of another kind.
    mutating func addRemarks(of other: Evaluation) {
        func union(_ mine: [Int], _ theirs: [Int]) -> [Int] {
            mine == theirs ? mine : Set(mine).union(theirs).sorted()
        }
        marks = union(marks, other.marks)
        trials = union(trials, other.trials)
        exempted = union(exempted, other.exempted)
        for rule in other.unanswered where !unanswered.contains(rule) { unanswered.append(rule) }
    }
}

/// What can be said at RCPT.
enum EarlyEvaluation {
    /// Nothing yet: the end of the message decides.
    case proceed
    /// An answer of the DNS that is still due may decide.
    case wait
    /// A rule refuses the recipient.
    case refuse(Evaluation)
}

extension PolicyEngine {
    /// Asks the rules about recipients of a kind by what is known of the envelope.
    func evaluateEarly(_ facts: PolicyFacts, _ kind: RecipientKind) -> EarlyEvaluation {
        var evaluation = Evaluation()
        for (place, prepared) in prepared.enumerated() {
            // Nothing below can refuse before DATA.
            guard mayRefuseEarly[place] else { return .proceed }
            switch prepared.ask(facts, kind) {
            case .no: continue
            case .exempted: evaluation.exempted.append(place)
            case .unknown:
                if prepared.rule.isFinal { return prepared.awaitsEarlyLookup(facts) ? .wait : .proceed }
            case .unanswered(let condition):
                evaluation.note(prepared.rule, at: place, unanswered: condition)
            case .yes:
                guard evaluation.take(prepared.rule, at: place) else { continue }
                // What is not certain is left to the end of the message.
                let action = prepared.rule.action
                return action.isRefusal && !isInDoubt(action, evaluation) ? .refuse(evaluation) : .proceed
            }
        }
        return .proceed
    }

    /// Asks the rules about recipients of a kind, once everything is known; nil where there is no recipient.
    ///
    /// What is not known by then holds for no one: neither the condition nor its negation, and where an exemption is
    /// not known, the rule does not act.
    ///
    /// - Parameter places: the rules to ask, in their order.
    func evaluate(_ facts: PolicyFacts, _ kind: RecipientKind?, _ places: some Sequence<Int>) -> Evaluation {
        var evaluation = Evaluation()
        loop: for place in places {
            let rule = rules[place]
            switch prepared[place].ask(facts, kind) {
            case .no, .unknown(applies: false): continue
            case .exempted, .unknown(applies: true): evaluation.exempted.append(place)
            case .unanswered(let condition):
                evaluation.note(rule, at: place, unanswered: condition)
            case .yes where rule.isFinal && isInDoubt(rule.action, evaluation): evaluation.isUndecided = true
            case .yes:
                if evaluation.take(rule, at: place) { break loop }
            }
        }
        weigh(&evaluation, facts)
        return evaluation
    }

    /// Whether an action would be for good, although a rule above may free the message from it.
    private func isInDoubt(_ action: RuleAction, _ evaluation: Evaluation) -> Bool {
        action.isForGood && evaluation.unanswered.contains { !rules[$0.place].action.isForGood }
    }

    /// Finds out whether the message hangs on an answer that did not come.
    ///
    /// It does when a rule that would keep it from its recipient may match, or may have been freed from by one above, and
    /// no rule below keeps it from the recipient in any case or speaks of a missing answer itself.
    private func weigh(_ evaluation: inout Evaluation, _ facts: PolicyFacts) {
        guard !evaluation.unanswered.isEmpty else { return }
        let isAtStake =
            evaluation.isUndecided || evaluation.unanswered.contains { !rules[$0.place].action.delivers }
        guard isAtStake else {
            evaluation.unanswered = []
            return
        }
        let isSettled = evaluation.decided.map { place in
            !rules[place].action.delivers || decidesNoAnswers(rules[place], evaluation, facts)
        }
        // RFC 9989 § 4.4.1: an aligned signature vouches for the author by itself. Where a rule matches for certain and only
        // what would exempt from it is not known, the author has nothing to say: it may be about MAIL FROM.
        let isVouchedFor = facts.isSignedByAuthor && !evaluation.unanswered.contains(where: isExemption)
        evaluation.isUndecided = isSettled != true && !isVouchedFor && undecided == .tempfail
    }

    /// Whether what is not known would exempt from a rule that keeps the message from its recipient.
    private func isExemption(_ open: UnansweredRule) -> Bool {
        let rule = rules[open.place]
        return !rule.action.delivers && !rule.when.contains { $0.name == open.condition }
    }

    /// Whether a rule itself says what becomes of a message whose checks got no answer: each of those that it hangs on.
    ///
    /// Who sends a message can have one of its checks go unanswered, by a name of his own that nobody answers for.
    private func decidesNoAnswers(_ rule: Rule, _ evaluation: Evaluation, _ facts: PolicyFacts) -> Bool {
        evaluation.unanswered.allSatisfy { open in
            let isAtStake = evaluation.isUndecided || !rules[open.place].action.delivers
            return !isAtStake || rule.decidesNoAnswer(of: open.condition.check, facts)
        }
    }

    /// The verdict that an evaluation gives, for all recipients alike.
    func verdict(
        _ evaluation: Evaluation,
        _ facts: PolicyFacts,
        _ recipient: MailAddress?,
        _ stage: PolicyStage
    ) -> PolicyVerdict {
        var verdict = PolicyVerdict(stage: stage)
        verdict.addRemarks(evaluation, self, facts, recipient)
        verdict.take(outcome(evaluation, facts, recipient, stage))
        return verdict
    }

    /// What an evaluation says of its recipients.
    func outcome(
        _ evaluation: Evaluation,
        _ facts: PolicyFacts,
        _ recipient: MailAddress?,
        _ stage: PolicyStage
    ) -> RecipientOutcome {
        if evaluation.isUndecided, let first = evaluation.unanswered.first {
            return .undecided(rules[first.place].reference, first.condition)
        }
        if let decided = evaluation.decided {
            return RecipientOutcome(rules[decided].match(facts, recipient, stage))
        }
        return RecipientOutcome(action: .accept, rule: nil, reply: nil, stage: .endOfMessage)
    }
}

extension PolicyVerdict {
    /// Names the rules that had a say without deciding.
    mutating func addRemarks(
        _ evaluation: Evaluation,
        _ engine: PolicyEngine,
        _ facts: PolicyFacts,
        _ recipient: MailAddress?
    ) {
        marks = evaluation.marks.map { engine.rules[$0].reference }
        observed = evaluation.trials.map { engine.rules[$0].match(facts, recipient, stage) }
        exempted = evaluation.exempted.map { engine.rules[$0].reference }
        undecided = evaluation.unanswered.map {
            UndecidedRule(rule: engine.rules[$0.place].reference, condition: $0.condition)
        }
    }
}
