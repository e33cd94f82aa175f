extension PolicyEngine {
    /// One verdict for the message: each kind of recipient has its own first matching rule.
    ///
    /// - Parameters:
    ///   - facts: the known facts.
    ///   - recipients: the recipients by kind.
    ///   - early: for each kind, its refusal before DATA, if any; empty when the refused recipients are already gone.
    ///   - obstacle: the reason why the message cannot be deferred; nil when it can.
    func conclude(
        _ facts: PolicyFacts,
        _ recipients: RecipientKinds,
        early: [Evaluation?],
        _ obstacle: SeparationObstacle?
    ) -> PolicyVerdict {
        guard recipients.members.count > 1 else {
            let only = recipients.members.first
            if case let refusal?? = early.first { return verdict(refusal, facts.ofEnvelope, only?.first, .rcpt) }
            return verdict(evaluate(facts, only?.kind, rules.indices), facts, only?.first, .endOfMessage)
        }
        // Rules that cannot match for any recipient are sorted out once.
        let places = prepared.indices.filter { !prepared[$0].isOut(facts) }
        var groups: [(evaluation: Evaluation, isEarly: Bool)] = []
        var outcomes = [RecipientOutcome]()
        var groupOfMember = [Int]()
        var remarks = Evaluation()
        for (index, member) in recipients.members.enumerated() {
            let refusal = early.isEmpty ? nil : early[index]
            let evaluation = refusal ?? evaluate(facts, member.kind, places)
            remarks.addRemarks(of: evaluation)
            let isEarly = refusal != nil
            let known = groups.firstIndex { $0.isEarly == isEarly && $0.evaluation.decidesAs(evaluation) }
            groupOfMember.append(known ?? groups.count)
            guard known == nil else { continue }
            groups.append((evaluation, isEarly))
            outcomes.append(
                outcome(
                    evaluation,
                    isEarly ? facts.ofEnvelope : facts,
                    member.first,
                    isEarly ? .rcpt : .endOfMessage
                )
            )
        }
        for (place, member) in recipients.memberOfEach.enumerated() {
            outcomes[groupOfMember[member]].recipients.append(place)
        }
        return verdict(outcomes, remarks, facts, obstacle)
    }

    private func verdict(
        _ outcomes: [RecipientOutcome],
        _ remarks: Evaluation,
        _ facts: PolicyFacts,
        _ obstacle: SeparationObstacle?
    ) -> PolicyVerdict {
        let remaining = outcomes.filter { $0.stage == .endOfMessage }
        let mixture = Mixture(outcomes, remaining: remaining, mixed: mixed, obstacle: obstacle)
        var verdict = PolicyVerdict(stage: .endOfMessage)
        mixed.settle(remaining.isEmpty ? outcomes : remaining, mixture.isPutOff, &verdict)
        verdict.addRemarks(remarks, self, facts, nil)
        if outcomes.count > 1 { verdict.mixture = mixture }
        return verdict
    }
}
