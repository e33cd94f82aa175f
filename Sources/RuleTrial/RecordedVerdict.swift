internal import MailEvents
public import Policy

/// What was decided about a message, as far as a trial compares it.
public struct RecordedVerdict: Hashable, Sendable {
    /// What was done with a message or a recipient.
    public enum Action: String, CaseIterable, Sendable {
        /// It was accepted.
        case accept
        /// It was accepted and flagged as junk.
        case junk
        /// It was accepted and held.
        case quarantine
        /// It was accepted and dropped.
        case discard
        /// It was refused for good.
        case reject
        /// It was refused for now.
        case tempfail
        /// It was signed.
        case sign

        /// Whether the sender gets a refusal.
        public var isRefusal: Bool { self == .reject || self == .tempfail }
    }

    /// A rule that decided, and what it did.
    public struct Match: Hashable, Sendable {
        /// What it did.
        public var action: Action
        /// The rule's name; nil where something other than a rule decided.
        public var rule: String?
        /// The stage of the decision.
        public var stage: PolicyStage
    }

    /// Recipients that one rule refused before DATA.
    public struct Refusal: Hashable, Sendable {
        /// What it did.
        public var action: Action
        /// The rule's name.
        public var rule: String?
        /// The places of the recipients.
        public var recipients: [Int]
    }

    /// Whether the rules acted.
    public var mode = PolicyMode.observe
    /// What was done with the message.
    public var action = Action.accept
    /// The stage of the decision.
    public var stage = PolicyStage.endOfMessage
    /// The rule that decided; nil when none did.
    public var rule: String?
    /// What `enforce` would have done, in observe mode.
    public var would: Match?
    /// Recipients refused before DATA, in the order of the first of each rule.
    public var refused = [Refusal]()

    /// An accepted message.
    init() {}
}

extension RecordedVerdict {
    /// The verdict of an event.
    init(_ event: MailEvent) throws(UnreadableFact) {
        let verdict = event.verdict
        mode = try verdict.mode.word("verdict.mode")
        action = try verdict.action.word("verdict.action")
        stage = try verdict.stage.word("verdict.stage")
        rule = verdict.rule
        if let match = verdict.would {
            would = Match(
                action: try match.action.word("verdict.would.action"),
                rule: match.rule,
                stage: try match.stage.word("verdict.would.stage")
            )
        }
        for refusal in verdict.refused {
            let action: Action = try refusal.action.word("verdict.refused.action")
            for place in event.places([], refused: refusal.refusedRcptTo) { refuse(place, action, refusal.rule) }
        }
        for index in refused.indices { refused[index].recipients = Set(refused[index].recipients).sorted() }
        refused.sort { ($0.recipients.first ?? 0) < ($1.recipients.first ?? 0) }
    }

    /// Adds a recipient that was refused.
    mutating func refuse(_ place: Int, _ action: Action, _ rule: String?) {
        if let known = refused.firstIndex(where: { $0.action == action && $0.rule == rule }) {
            refused[known].recipients.append(place)
        } else {
            refused.append(Refusal(action: action, rule: rule, recipients: [place]))
        }
    }
}

extension RecordedVerdict.Action {
    /// The action of a verdict.
    init(_ action: RuleAction) {
        self =
            switch action {
            case .accept, .mark: .accept
            case .junk: .junk
            case .quarantine: .quarantine
            case .discard: .discard
            case .reject: .reject
            case .tempfail: .tempfail
            }
    }
}
