/// Whether the rules act.
public enum PolicyMode: String, CaseIterable, Sendable {
    /// What a rule would do is logged; every message is accepted.
    case observe
    /// The rules act.
    case enforce
}

/// When a decision falls.
public enum PolicyStage: String, Sendable {
    /// In reply to RCPT TO.
    case rcpt
    /// At the end of the message.
    case endOfMessage = "eom"
}

/// A rule that had a say, by name and place.
public struct RuleReference: Hashable, Sendable {
    /// The rule's name.
    public let name: String
    /// Where the rule begins.
    public let location: PolicyLocation
}

/// A rule that matched, and what it asks for.
public struct RuleMatch: Hashable, Sendable {
    /// The rule.
    public let rule: RuleReference
    /// What it asks for.
    public let action: RuleAction
    /// When it was decided.
    public let stage: PolicyStage
    /// The reply of a refusal.
    public let reply: PolicyReply?
}

/// What is done with a message or a recipient, and why.
public struct PolicyVerdict: Hashable, Sendable {
    /// What is done; never `mark`.
    public var action: RuleAction = .accept
    /// When it was decided.
    public var stage: PolicyStage
    /// The rule that decided; nil when none matched.
    public var rule: RuleReference?
    /// The reply of a refusal.
    public var reply: PolicyReply?
    /// In `observe` mode, what `enforce` would do; nil when that is to accept.
    public var would: RuleMatch?
    /// The rules on trial (`observe = true`) that matched.
    public var observed: [RuleMatch] = []
    /// The rules with `mark` that matched.
    public var marks: [RuleReference] = []
    /// The rules that would have matched but for an exemption.
    public var exempted: [RuleReference] = []
    /// Whether it hangs on an answer that the DNS did not give.
    public var isUndecided = false
    /// The rules that keep the message from being decided, or would have, because a check got no answer.
    public var undecided: [UndecidedRule] = []
    /// What the rules say of each recipient; nil where they say the same of all.
    public var mixture: Mixture?

    init(stage: PolicyStage) {
        self.stage = stage
    }

    /// Takes what the rules say of some recipients for the whole message.
    mutating func take(_ outcome: RecipientOutcome) {
        action = outcome.action
        rule = outcome.rule
        reply = outcome.reply
        stage = outcome.stage
        isUndecided = outcome.isUndecided
    }

    /// The reason to give the MTA with a quarantine: at most 100 octets, printable.
    public var quarantineReason: String {
        "postern: " + ReplyText.quoted(rule?.name ?? "policy", limit: 80)
    }
}

/// What to answer to RCPT TO.
public enum RecipientDecision: Hashable, Sendable {
    /// Nothing yet: the end of the message decides.
    case proceed
    /// An answer of the DNS that is still due may decide; worth waiting for a moment.
    case wait
    /// Refuse the recipient.
    case refuse(PolicyVerdict)
}
