/// The action for a message that the rules would refuse for some of its recipients only.
///
/// A message has a single end: all recipients get it, or none does.
public enum MixedAction: String, CaseIterable, Sendable {
    /// All recipients get the message, flagged as junk.
    case junk
    /// The sender is asked to try again, and then to send to each kind of recipient separately.
    case `defer`
    /// All recipients get the message, treated as the rules say for the recipients that they do not refuse.
    case accept
}

/// The outcome of the rules for some recipients of a message.
public struct RecipientOutcome: Hashable, Sendable {
    /// The action.
    public let action: RuleAction
    /// The rule that decided; nil when none matches.
    public let rule: RuleReference?
    /// The reply of a refusal.
    public let reply: PolicyReply?
    /// The stage of the decision.
    public let stage: PolicyStage
    /// The positions of the recipients among those of the message.
    public internal(set) var recipients: [Int] = []
    /// Whether the rule depends on an answer that the DNS did not give.
    public let isUndecided: Bool

    init(action: RuleAction, rule: RuleReference?, reply: PolicyReply?, stage: PolicyStage, isUndecided: Bool = false) {
        self.action = action
        self.rule = rule
        self.reply = reply
        self.stage = stage
        self.isUndecided = isUndecided
    }
}

/// Why a message is not deferred, although `mixed = "defer"`.
public enum SeparationObstacle: String, Sendable {
    /// The session began under rules that refuse nobody before DATA.
    case noAnswerToRecipients = "the mail server waits for no answer to RCPT in this session"
    /// The message was deferred once, and came back with recipients of several kinds.
    case putOffBefore = "put off before"
    /// There is no room to remember the message.
    case noRoom = "no room to remember it"
    /// The message came back with more recipients of other kinds than one transaction can defer.
    case tooManyToSeparate = "too many recipients to separate"
}

/// The outcomes for the recipients of a message that are not the same for all.
public struct Mixture: Hashable, Sendable {
    /// The outcomes, in the order of the recipients.
    public let outcomes: [RecipientOutcome]
    /// Whether the message is deferred, so that each kind of recipient comes separately.
    public let isPutOff: Bool
    /// Why the message is not deferred; nil when it is, or need not be.
    public let obstacle: SeparationObstacle?

    /// Outcomes that are not all the same; `remaining` has those of recipients who were not refused earlier.
    init(
        _ outcomes: [RecipientOutcome],
        remaining: [RecipientOutcome],
        mixed: MixedAction,
        obstacle: SeparationObstacle?
    ) {
        self.outcomes = outcomes
        let actions = remaining.map(\.action)
        // An undecided outcome may turn out to be the same as the others.
        let isAgreed = actions.allSatisfy { $0 == actions.first } || remaining.contains(where: \.isUndecided)
        let wantsSeparation = mixed == .defer && !isAgreed && actions.contains(where: \.isRefusal)
        isPutOff = wantsSeparation && obstacle == nil
        self.obstacle = wantsSeparation ? obstacle : nil
    }
}

extension Mixture: CustomStringConvertible {
    /// The most outcomes in a text.
    private static let maximumInText = 8

    /// `1 reject spf-strict, 2 accept`.
    public var description: String {
        var parts = outcomes.prefix(Self.maximumInText).map { outcome in
            "\(outcome.recipients.count) \(outcome.isUndecided ? "undecided" : outcome.action.rawValue)"
                + (outcome.rule.map { " " + $0.name } ?? "")
        }
        if outcomes.count > Self.maximumInText { parts.append("and others") }
        return parts.joined(separator: ", ") + (obstacle.map { "; not put off: \($0.rawValue)" } ?? "")
    }
}

extension MixedAction {
    /// The standard reply to a deferred message.
    private static let putOff = PolicyReply(
        code: 451,
        enhanced: "4.7.1",
        bounding: "Refused for some of its recipients only; please send it again, to be accepted for the others"
    )

    /// Makes one verdict from the outcomes for the recipients that remain at the end of the message.
    ///
    /// No recipient's message is dropped, held or refused by a rule for other recipients, and none is delivered
    /// unflagged because of other recipients.
    func settle(_ outcomes: [RecipientOutcome], _ isPutOff: Bool, _ verdict: inout PolicyVerdict) {
        guard let first = outcomes.first else { return }
        if outcomes.allSatisfy({ $0.action == first.action }) { return verdict.take(first) }
        // The message comes again, and then the outcome for each recipient is known.
        if let undecided = outcomes.first(where: \.isUndecided) { return verdict.take(undecided) }
        let refused = outcomes.first { $0.action.isRefusal }
        if let refused, isPutOff {
            verdict.take(refused)
            verdict.action = .tempfail
            verdict.reply = Self.putOff
            return
        }
        guard outcomes.contains(where: \.action.delivers) else {
            // No recipient gets the message now, so the action that loses least applies to all.
            for action in [RuleAction.quarantine, .tempfail, .reject] {
                if let outcome = outcomes.first(where: { $0.action == action }) { return verdict.take(outcome) }
            }
            return
        }
        let others = self == .accept ? outcomes.filter { !$0.action.isRefusal } : outcomes
        if let agreed = others.first, others.allSatisfy({ $0.action == agreed.action }) { return verdict.take(agreed) }
        verdict.take(refused ?? others.first { $0.action != .accept } ?? first)
        verdict.action = .junk
        verdict.reply = nil
    }
}
