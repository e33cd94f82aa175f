/// The action for a message whose verdict depends on an answer that the DNS did not give.
public enum UndecidedAction: String, CaseIterable, Sendable {
    /// The message is refused for now (RFC 7208 § 8.6).
    case tempfail
    /// The rules that depend on the answer do not act.
    case accept
}

/// A rule that may or may not match, because a check got no answer.
public struct UndecidedRule: Hashable, Sendable {
    /// The rule.
    public let rule: RuleReference
    /// The condition whose check got no answer.
    public let condition: ConditionName
}

extension UndecidedRule: CustomStringConvertible {
    /// `spf-strict:spf`.
    public var description: String { "\(rule.name):\(condition.rawValue)" }
}

extension RecipientOutcome {
    /// The outcome when a rule depends on a check that got no answer; the check is behind a condition.
    static func undecided(_ rule: RuleReference, _ condition: ConditionName) -> RecipientOutcome {
        // RFC 7208 § 8.6: "the SMTP reply code SHOULD be 451 and, if supported, the enhanced status code SHOULD be 4.4.3".
        let reply = PolicyReply(
            code: 451,
            enhanced: "4.4.3",
            bounding: "The DNS gave no answer for \(condition.rawValue), which this message depends on; try again later"
        )
        return RecipientOutcome(action: .tempfail, rule: rule, reply: reply, stage: .endOfMessage, isUndecided: true)
    }
}
