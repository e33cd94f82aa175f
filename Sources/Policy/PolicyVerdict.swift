/// Whether the rules act.
public enum PolicyMode: String, CaseIterable, Sendable {
    /// The log shows what rules would do; every message is accepted.
    case observe
    /// The rules act.
    case enforce
}

/// The stage of a decision.
public enum PolicyStage: String, Sendable {
    /// In reply to RCPT TO.
    case rcpt
    /// At the end of the message.
    case endOfMessage = "eom"
}

/// A rule that matched or was left open, by name and place.
public struct RuleReference: Hashable, Sendable {
    /// The rule's name.
    public let name: String
    /// The place where the rule begins.
    public let location: PolicyLocation
}

/// A rule that matched, and its action.
public struct RuleMatch: Hashable, Sendable {
    /// The rule.
    public let rule: RuleReference
    /// The action of the rule.
    public let action: RuleAction
    /// The stage of the decision.
    public let stage: PolicyStage
    /// The reply of a refusal.
    public let reply: PolicyReply?
}

/// The action for a message or a recipient, and the reason.
public struct PolicyVerdict: Hashable, Sendable {
    /// The action; never `mark`.
    public var action: RuleAction = .accept
    /// The stage of the decision.
    public var stage: PolicyStage
    /// The rule that decided; nil when none matched.
    public var rule: RuleReference?
    /// The reply of a refusal.
    public var reply: PolicyReply?
    /// In `observe` mode, the match that `enforce` would act on; nil when `enforce` would accept.
    public var would: RuleMatch?
    /// The rules on trial (`observe = true`) that matched.
    public var observed: [RuleMatch] = []
    /// The rules with `mark` that matched.
    public var marks: [RuleReference] = []
    /// The rules that only an exemption kept from matching.
    public var exempted: [RuleReference] = []
    /// Why a rule on DMARC that would have matched did not; nil when there was none.
    public var excuse: DMARCExcuse?
    /// Whether the verdict depends on an answer that the DNS did not give.
    public var isUndecided = false
    /// The rules that leave the message undecided, or would have, because a check got no answer.
    public var undecided: [UndecidedRule] = []
    /// The outcome for each recipient; nil when it is the same for all.
    public var mixture: Mixture?
    /// The action of the rule, where the message became junk instead because a relay of our own passed it on.
    public var relayed: RuleAction?

    init(stage: PolicyStage) {
        self.stage = stage
    }

    /// Applies the outcome for some recipients to the whole message.
    mutating func take(_ outcome: RecipientOutcome) {
        action = outcome.action
        rule = outcome.rule
        reply = outcome.reply
        stage = outcome.stage
        isUndecided = outcome.isUndecided
    }

    /// The reason to give to the MTA for a quarantine: at most 100 octets, printable.
    public var quarantineReason: String {
        "postern: " + ReplyText.quoted(rule?.name ?? "policy", limit: 80)
    }
}

/// The answer to RCPT TO.
public enum RecipientDecision: Hashable, Sendable {
    /// No decision yet: the end of the message decides.
    case proceed
    /// A pending answer of the DNS may decide; it is worth a short wait.
    case wait
    /// Refuse the recipient.
    case refuse(PolicyVerdict)
}
