public import Policy

/// What rules do with a stored message.
public struct TrialVerdict: Hashable, Sendable {
    /// A recipient that is refused before DATA.
    public struct Refusal: Hashable, Sendable {
        /// The place of the recipient.
        public let recipient: Int
        /// The verdict that refuses it.
        public let verdict: PolicyVerdict
    }

    /// The recipients that are refused before DATA.
    public let refusals: [Refusal]
    /// The verdict on the message; the first refusal where all recipients are refused.
    public let verdict: PolicyVerdict
}

extension RecordedVerdict {
    /// A verdict in the form in which the ledger has it.
    public init(_ trial: TrialVerdict, mode: PolicyMode) {
        self.init()
        let verdict = trial.verdict
        self.mode = mode
        action = Action(verdict.action)
        stage = verdict.stage
        rule = verdict.rule?.name
        would = verdict.would.map { Match(action: Action($0.action), rule: $0.rule.name, stage: $0.stage) }
        for refusal in trial.refusals {
            refuse(refusal.recipient, Action(refusal.verdict.action), refusal.verdict.rule?.name)
        }
    }
}
