/// What becomes of a message that the rules would refuse for some of its recipients only.
///
/// A message has one end: after it, all recipients get the message or none does.
public enum MixedAction: String, CaseIterable, Sendable {
    /// All get it, flagged as junk.
    case junk
    /// The sender is asked to come back, and then to send to each kind of recipient apart.
    case `defer`
    /// All get it, as the rules want it for those whom they do not refuse.
    case accept
}

/// What the rules say of some recipients of a message.
public struct RecipientOutcome: Hashable, Sendable {
    /// What is to be done.
    public let action: RuleAction
    /// The rule that says so; nil when none matches.
    public let rule: RuleReference?
    /// The reply of a refusal.
    public let reply: PolicyReply?
    /// When it was decided.
    public let stage: PolicyStage
    /// The recipients, by their places among those of the message.
    public internal(set) var recipients: [Int] = []
    /// Whether the rule hangs on an answer that the DNS did not give.
    public let isUndecided: Bool

    init(action: RuleAction, rule: RuleReference?, reply: PolicyReply?, stage: PolicyStage, isUndecided: Bool = false) {
        self.action = action
        self.rule = rule
        self.reply = reply
        self.stage = stage
        self.isUndecided = isUndecided
    }
}

/// Why a message is not put off, although `mixed = "defer"`.
public enum SeparationObstacle: String, Sendable {
    /// The session began under rules that refuse nobody before DATA.
    case noAnswerToRecipients = "the mail server waits for no answer to RCPT in this session"
    /// It has been put off once, and came back with recipients of several kinds.
    case putOffBefore = "put off before"
    /// There is no room to remember it.
    case noRoom = "no room to remember it"
    /// It came back with more recipients of other kinds than can be sent away in one transaction.
    case tooManyToSeparate = "too many recipients to separate"
}

/// What the rules say of the recipients of a message, where that is not the same for all.
public struct Mixture: Hashable, Sendable {
    /// What they say, in the order of the recipients.
    public let outcomes: [RecipientOutcome]
    /// Whether the message is put off, so that each kind of recipient comes apart.
    public let isPutOff: Bool
    /// What keeps it from being put off; nil where nothing does, or nobody asks for it.
    public let obstacle: SeparationObstacle?

    /// Outcomes that are not all the same; `remaining` are those of recipients who were not refused before.
    init(
        _ outcomes: [RecipientOutcome],
        remaining: [RecipientOutcome],
        mixed: MixedAction,
        obstacle: SeparationObstacle?
    ) {
        self.outcomes = outcomes
        let actions = remaining.map(\.action)
        // What is not decided may turn out to be the same for all.
        let isAgreed = actions.allSatisfy { $0 == actions.first } || remaining.contains(where: \.isUndecided)
        let wantsSeparation = mixed == .defer && !isAgreed && actions.contains(where: \.isRefusal)
        isPutOff = wantsSeparation && obstacle == nil
        self.obstacle = wantsSeparation ? obstacle : nil
    }
}

extension Mixture: CustomStringConvertible {
    /// How many of the outcomes a text names.
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
    /// The standard reply to a message that is put off.
    private static let putOff = PolicyReply(
        code: 451,
        enhanced: "4.7.1",
        bounding: "Refused for some of its recipients only; please send it again, to be taken for the others"
    )

    /// Makes one verdict of what the rules say of recipients that are still there at the end of the message.
    ///
    /// Nobody's message is thrown away, held or refused by a rule that is for others, and nobody's is let through
    /// unflagged because of others.
    func settle(_ outcomes: [RecipientOutcome], _ isPutOff: Bool, _ verdict: inout PolicyVerdict) {
        guard let first = outcomes.first else { return }
        if outcomes.allSatisfy({ $0.action == first.action }) { return verdict.take(first) }
        // The message comes again, and then it is known what the rules say of each.
        if let undecided = outcomes.first(where: \.isUndecided) { return verdict.take(undecided) }
        let refused = outcomes.first { $0.action.isRefusal }
        if let refused, isPutOff {
            verdict.take(refused)
            verdict.action = .tempfail
            verdict.reply = Self.putOff
            return
        }
        guard outcomes.contains(where: \.action.delivers) else {
            // Nobody is to get it now, so what loses least is done for all.
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
