extension PolicyVerdict {
    /// The verdict that neither refuses for good nor drops the message: it is flagged as junk instead.
    public var withoutRefusal: PolicyVerdict {
        var verdict = self
        if let would, would.action.losesMail {
            verdict.relayed = would.action
            verdict.would = RuleMatch(rule: would.rule, action: .junk, stage: .endOfMessage, reply: nil)
        } else if action.losesMail {
            verdict.relayed = action
            verdict.action = .junk
            verdict.reply = nil
        }
        return verdict
    }

    /// The verdict on a message that would be refused whatever the rules say, and is flagged as junk instead; what is worse
    /// than junk stays.
    public var flagged: PolicyVerdict {
        guard action == .accept else { return self }
        var verdict = self
        verdict.action = .junk
        verdict.relayed = .reject
        verdict.rule = nil
        return verdict
    }
}

extension RuleAction {
    /// Whether the message does not reach its recipients.
    fileprivate var losesMail: Bool { self == .reject || self == .discard }
}
