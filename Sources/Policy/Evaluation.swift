/// The place of a rule, with the condition whose check got no answer.
struct UnansweredRule: Hashable {
    let place: Int
    let condition: ConditionName
}

/// The result of the rules for recipients of one kind; rules are given by their places.
struct Evaluation {
    /// The rule that decides; nil when no rule decides, and the message is accepted.
    var decided: Int?
    /// The rules with `mark` that matched.
    var marks: [Int] = []
    /// The rules on trial that matched.
    var trials: [Int] = []
    /// The rules that only an exemption kept from matching.
    var exempted: [Int] = []
    /// Why the first rule on DMARC that would have matched did not.
    var excuse: DMARCExcuse?
    /// The rules that would end the evaluation if they matched; the DNS left open whether they match.
    var unanswered: [UnansweredRule] = []
    /// Whether the verdict depends on one of these rules.
    var isUndecided = false

    /// Adds a rule that matched, and returns whether it ends the evaluation.
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

    /// Adds a rule for which it is unknown whether it matches.
    mutating func note(_ rule: Rule, at place: Int, unanswered condition: ConditionName) {
        if rule.isFinal { unanswered.append(UnansweredRule(place: place, condition: condition)) }
    }

    /// Whether both have the same decision: the same rule, or none yet.
    func decidesAs(_ other: Evaluation) -> Bool {
        guard isUndecided == other.isUndecided else { return false }
        return isUndecided ? unanswered.first == other.unanswered.first : decided == other.decided
    }

    /// Adds the remarks of the rules about recipients of another kind.
    mutating func addRemarks(of other: Evaluation) {
        func union(_ mine: [Int], _ theirs: [Int]) -> [Int] {
            mine == theirs ? mine : Set(mine).union(theirs).sorted()
        }
        marks = union(marks, other.marks)
        trials = union(trials, other.trials)
        exempted = union(exempted, other.exempted)
        excuse = excuse ?? other.excuse
        for rule in other.unanswered where !unanswered.contains(rule) { unanswered.append(rule) }
    }
}

/// The result of the rules at RCPT.
enum EarlyEvaluation {
    /// No decision yet: the end of the message decides.
    case proceed
    /// A pending answer of the DNS may decide.
    case wait
    /// A rule refuses the recipient.
    case refuse(Evaluation)
}

extension PolicyEngine {
    /// Evaluates the rules for recipients of a kind, with the facts of the envelope.
    func evaluateEarly(_ facts: PolicyFacts, _ kind: RecipientKind) -> EarlyEvaluation {
        var evaluation = Evaluation()
        for (place, prepared) in prepared.enumerated() {
            // No rule from here on can refuse before DATA.
            guard mayRefuseEarly[place] else { return .proceed }
            switch prepared.ask(facts, kind) {
            case .no: continue
            case .exempted: evaluation.exempted.append(place)
            case .excused: continue
            case .unknown:
                if prepared.rule.isFinal { return prepared.awaitsEarlyLookup(facts) ? .wait : .proceed }
            case .unanswered(let condition):
                evaluation.note(prepared.rule, at: place, unanswered: condition)
            case .yes:
                guard evaluation.take(prepared.rule, at: place) else { continue }
                // An uncertain decision is left to the end of the message.
                let action = prepared.rule.action
                return action.isRefusal && !isInDoubt(action, evaluation) ? .refuse(evaluation) : .proceed
            }
        }
        return .proceed
    }

    /// Evaluates the rules for recipients of a kind, once all facts are known; `kind` is nil without a recipient.
    ///
    /// A fact that is still unknown satisfies neither a condition nor its negation, and a rule with an unknown
    /// exemption does not act.
    ///
    /// - Parameter places: the rules to evaluate, in their order.
    func evaluate(_ facts: PolicyFacts, _ kind: RecipientKind?, _ places: some Sequence<Int>) -> Evaluation {
        var evaluation = Evaluation()
        let forwarder = forwarder(facts, kind)
        loop: for place in places {
            let prepared = prepared[place]
            switch prepared.ask(facts, kind, forwarder) {
            case .no, .unknown(applies: false): continue
            case .excused(let excuse): evaluation.excuse = evaluation.excuse ?? excuse
            case .unknown(applies: true): evaluation.exempted.append(place)
            case .exempted:
                evaluation.exempted.append(place)
                evaluation.excuse = evaluation.excuse ?? prepared.list(facts, kind)
            case .unanswered(let condition):
                evaluation.note(prepared.rule, at: place, unanswered: condition)
            case .yes where prepared.rule.isFinal && isInDoubt(prepared.rule.action, evaluation):
                evaluation.isUndecided = true
            case .yes:
                if evaluation.take(prepared.rule, at: place) { break loop }
            }
        }
        weigh(&evaluation, facts)
        return evaluation
    }

    /// Whether an action is for good, although a rule above may exempt the message from it.
    private func isInDoubt(_ action: RuleAction, _ evaluation: Evaluation) -> Bool {
        action.isForGood && evaluation.unanswered.contains { !rules[$0.place].action.isForGood }
    }

    /// Finds out whether the verdict depends on an answer that did not come.
    ///
    /// It does if a rule that withholds the message from its recipient may match, or if a rule above may exempt the
    /// message from such a rule. It does not if a rule below withholds the message in any case, or handles missing
    /// answers itself.
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
        // RFC 9989 § 4.4.1: an aligned signature by itself vouches for the author. This does not matter where a rule
        // certainly matches and only its exemption is unknown: the rule may be about MAIL FROM.
        let isVouchedFor = facts.isSignedByAuthor && !evaluation.unanswered.contains(where: isExemption)
        evaluation.isUndecided = isSettled != true && !isVouchedFor && undecided == .tempfail
    }

    /// Whether the unanswered condition belongs to an exemption from a rule that withholds the message.
    private func isExemption(_ open: UnansweredRule) -> Bool {
        let rule = rules[open.place]
        return !rule.action.delivers && !rule.when.contains { $0.name == open.condition }
    }

    /// Whether a rule itself decides about messages whose checks got no answer, for each check that matters.
    ///
    /// A sender can leave a check unanswered with a domain whose name servers do not answer.
    private func decidesNoAnswers(_ rule: Rule, _ evaluation: Evaluation, _ facts: PolicyFacts) -> Bool {
        evaluation.unanswered.allSatisfy { open in
            let isAtStake = evaluation.isUndecided || !rules[open.place].action.delivers
            return !isAtStake || rule.decidesNoAnswer(of: open.condition.check, facts)
        }
    }

    /// The verdict of an evaluation, for all recipients alike.
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

    /// The outcome of an evaluation for its recipients.
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
    /// Adds the rules that matched or were left open without deciding.
    mutating func addRemarks(
        _ evaluation: Evaluation,
        _ engine: PolicyEngine,
        _ facts: PolicyFacts,
        _ recipient: MailAddress?
    ) {
        marks = evaluation.marks.map { engine.rules[$0].reference }
        observed = evaluation.trials.map { engine.rules[$0].match(facts, recipient, stage) }
        exempted = evaluation.exempted.map { engine.rules[$0].reference }
        excuse = evaluation.excuse
        undecided = evaluation.unanswered.map {
            UndecidedRule(rule: engine.rules[$0.place].reference, condition: $0.condition)
        }
    }
}
