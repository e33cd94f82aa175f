internal import Policy

/// What the rules do to one message, each rule once.
struct RuleEffects {
    /// One thing that a rule does.
    struct Effect: Hashable {
        enum Kind: Hashable {
            /// It decides for all recipients, or for some.
            case acts(RuleAction)
            /// It matches, and is on trial.
            case onTrial(RuleAction)
            /// Only an exemption keeps it from matching.
            case exempts
            /// The DNS leaves it open, and so the message.
            case undecided
        }

        let rule: String
        let kind: Kind
    }

    private(set) var effects = [Effect]()
    /// The action for the message, as enforce mode would take it.
    private(set) var action: RuleAction
    /// Whether some recipients are refused, and the others get the message.
    private(set) var isPartial: Bool

    init(_ trial: TrialVerdict) {
        let verdict = trial.verdict
        action = verdict.would?.action ?? verdict.action
        isPartial = action.delivers && !trial.refusals.isEmpty
        for refusal in trial.refusals { take(refusal.verdict) }
        // The first refusal of all is the verdict too.
        if trial.refusals.isEmpty || verdict.stage == .endOfMessage { take(verdict) }
    }

    private mutating func take(_ verdict: PolicyVerdict) {
        if let mixture = verdict.mixture {
            for outcome in mixture.outcomes {
                add(outcome.rule?.name, outcome.isUndecided ? .undecided : .acts(outcome.action))
            }
        } else if let would = verdict.would {
            add(would.rule.name, verdict.isUndecided ? .undecided : .acts(would.action))
        } else {
            add(verdict.rule?.name, verdict.isUndecided ? .undecided : .acts(verdict.action))
        }
        for rule in verdict.marks { add(rule.name, .acts(.mark)) }
        for match in verdict.observed { add(match.rule.name, .onTrial(match.action)) }
        for rule in verdict.exempted { add(rule.name, .exempts) }
    }

    private mutating func add(_ rule: String?, _ kind: Effect.Kind) {
        guard let rule else { return }
        let effect = Effect(rule: rule, kind: kind)
        if !effects.contains(effect) { effects.append(effect) }
    }
}

extension RuleEffects.Effect {
    /// The action of the rule, if it is against the message.
    var hit: RuleAction? {
        switch kind {
        case .acts(let action), .onTrial(let action): action == .accept || action == .mark ? nil : action
        case .exempts, .undecided: nil
        }
    }
}
