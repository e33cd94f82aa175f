/// What becomes of a message whose verdict hangs on an answer that the DNS did not give.
public enum UndecidedAction: String, CaseIterable, Sendable {
    /// It is refused for now (RFC 7208 § 8.6).
    case tempfail
    /// The rules that hang on the answer do not act.
    case accept
}

/// A rule of which it is not known whether it matches, because a check got no answer.
public struct UndecidedRule: Hashable, Sendable {
    /// The rule.
    public let rule: RuleReference
    /// The condition whose check got none.
    public let condition: ConditionName
}

extension UndecidedRule: CustomStringConvertible {
    /// `spf-strict:spf`.
    public var description: String { "\(rule.name):\(condition.rawValue)" }
}

extension RecipientOutcome {
    /// A rule hangs on the check behind a condition, which got no answer.
    static func undecided(_ rule: RuleReference, _ condition: ConditionName) -> RecipientOutcome {
        // RFC 7208 § 8.6: "the SMTP reply code SHOULD be 451 and, if supported, the enhanced status code SHOULD be 4.4.3".
        let reply = PolicyReply(
            code: 451,
            enhanced: "4.4.3",
            bounding: "The DNS gave no answer for \(condition.rawValue), on which this message hangs; try again later"
        )
        return RecipientOutcome(action: .tempfail, rule: rule, reply: reply, stage: .endOfMessage, isUndecided: true)
    }
}
