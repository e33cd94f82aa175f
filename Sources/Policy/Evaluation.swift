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

    /// Adds what the rules say besides of recipients of another kind.
    mutating func addRemarks(of other: Evaluation) {
        func union(_ mine: [Int], _ theirs: [Int]) -> [Int] {
            mine == theirs ? mine : Set(mine).union(theirs).sorted()
        }
        marks = union(marks, other.marks)
        trials = union(trials, other.trials)
        exempted = union(exempted, other.exempted)
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
            case .yes:
                guard evaluation.take(prepared.rule, at: place) else { continue }
                return prepared.rule.action.isRefusal ? .refuse(evaluation) : .proceed
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
        for place in places {
            switch prepared[place].ask(facts, kind) {
            case .no, .unknown(applies: false): continue
            case .exempted, .unknown(applies: true): evaluation.exempted.append(place)
            case .yes:
                if evaluation.take(prepared[place].rule, at: place) { return evaluation }
            }
        }
        return evaluation
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
        if let decided = evaluation.decided {
            verdict.take(RecipientOutcome(rules[decided].match(facts, recipient, stage)))
        }
        return verdict
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
    }
}
