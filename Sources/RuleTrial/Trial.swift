internal import MailEvents
public import Policy

/// Why rules cannot be tried on a stored message.
public enum Untried: String, CaseIterable, Error, Sendable {
    /// The stored facts are of a version that this program does not know.
    case unknownVersion = "stored by another version"
    /// The stored facts, or the event that they come from, make no sense.
    case unreadable = "stored facts that cannot be read"
    /// The message is our own.
    case outbound = "our own mail, which no rule judges"
    /// The message was not judged.
    case unjudged = "not judged then, whatever the rules said"
    /// A header that no rule judges in enforce mode.
    case problem = "refused in enforce mode before any rule is asked"
    /// All recipients were refused before DATA, and the new rules do not refuse them all.
    case noContent = "refused before DATA then, so the content is not known"
    /// A rule asks about local parts, and the events have domains only.
    case noLocalParts = "a rule asks about recipients, and the events have only their domains"
    /// A rule asks for a fact that nobody looked up, or that an older version did not write.
    case notRecorded = "a rule asks for a fact that the event does not have (permitted_by never has one)"
    /// A rule asks about recipients, and the event does not name all.
    case unnamedRecipients = "a rule asks about recipients, and there were too many to name them"
}

/// Judges stored messages by rules as the filter would have done.
///
/// Recipients who were sent away for another transaction are not judged. Where the old rules took some recipients and
/// refused others, their common order is not known: those that were taken come first.
public struct Trial: Sendable {
    /// The rules.
    public let engine: PolicyEngine
    /// The checks that the new configuration does not make.
    private let off: [Check]
    /// Whether rules refuse mail that relays of our own pass on.
    private let refusesRelayed: Bool

    /// A trial of these rules.
    ///
    /// - Parameters:
    ///   - engine: the rules.
    ///   - checks: whether each check is made; results of the others are not used.
    ///   - refusesRelayed: whether rules refuse mail that relays of our own pass on.
    public init(
        _ engine: PolicyEngine,
        checks: PerCheck<Bool> = PerCheck { _ in true },
        refusesRelayed: Bool = false
    ) {
        self.engine = engine
        self.refusesRelayed = refusesRelayed
        off = Check.allCases.filter { !checks[$0] }
    }

    /// The verdict of the rules on a stored message.
    public func verdict(_ message: StoredFacts) throws(Untried) -> TrialVerdict {
        try message.checkSubject(engine)
        guard !off.isEmpty else { return try judged(message) }
        var message = message
        for check in off { message.facts.forget(check) }
        return try judged(message)
    }

    /// The rules that were left open because a check was not made when the message came.
    public func openRules(_ message: StoredFacts) -> [OpenRule] {
        engine.openRules(message.facts, engine.kinds(of: message.recipients))
            .filter { !off.contains($0.check) }
    }
}

extension Trial {
    /// The rules in their order with the value of each condition, for each kind of recipient.
    func explain(_ message: StoredFacts) -> [RecipientExplanation] {
        var facts = message.facts
        for check in off { facts.forget(check) }
        return engine.explain(facts, engine.kinds(of: message.recipients), mayRefuseEarly: !message.isRelayed)
    }
}

// MARK: Recipients, then the message

extension Trial {
    private func judged(_ message: StoredFacts) throws(Untried) -> TrialVerdict {
        guard message.isRelayed else { return try asRecipientsCame(message) }
        let trial = try atOnce(message)
        guard !refusesRelayed || message.isRelayUnreadable else { return trial }
        return TrialVerdict(refusals: [], verdict: trial.verdict.withoutRefusal)
    }

    private func asRecipientsCame(_ message: StoredFacts) throws(Untried) -> TrialVerdict {
        engine.mode == .enforce && message.isAnswered ? try inTwoStages(message) : try atOnce(message)
    }

    /// As in enforce mode, where the mail server waits for an answer to each recipient.
    private func inTwoStages(_ message: StoredFacts) throws(Untried) -> TrialVerdict {
        var gate = TrialGate(engine, message.facts)
        let known = message.knownEarly
        try checkRecipients(
            message,
            early: [message.facts.ofEnvelope] + known.sets.map(message.facts.ofEnvelope(knowing:))
        )
        for (place, recipient) in message.recipients.enumerated() {
            gate.recipient(place, recipient, knowing: known.set(of: place))
        }
        // All refused: the message ended with its first refusal.
        if gate.kinds.count == 0, let first = gate.refusals.first {
            return TrialVerdict(refusals: gate.refusals, verdict: first.verdict)
        }
        guard message.hasContent || engine.rules.isEmpty else { throw .noContent }
        if engine.lacksFacts(message.facts, gate.kinds) { throw .notRecorded }
        return TrialVerdict(
            refusals: gate.refusals,
            verdict: engine.atEndOfMessage(message.facts, gate.kinds, obstacle: message.obstacle)
        )
    }

    /// As in observe mode, or where the mail server does not wait for answers to RCPT.
    private func atOnce(_ message: StoredFacts) throws(Untried) -> TrialVerdict {
        try checkRecipients(message, early: engine.mode == .observe ? [message.facts.ofEnvelope] : [])
        let verdict = engine.atEndOfMessage(
            message.facts,
            engine.kinds(of: message.recipients),
            obstacle: .noAnswerToRecipients
        )
        guard !verdict.isOfRecipientsOnly else { return TrialVerdict(refusals: [], verdict: verdict) }
        guard message.hasContent || engine.rules.isEmpty else { throw .noContent }
        if engine.lacksFacts(message.facts, engine.kinds(of: message.recipients)) { throw .notRecorded }
        return TrialVerdict(refusals: [], verdict: verdict)
    }

    private func checkRecipients(
        _ message: StoredFacts,
        early: @autoclosure () -> [PolicyFacts]
    ) throws(Untried) {
        guard engine.distinguishesRecipients else { return }
        if message.unnamed > 0 { throw .unnamedRecipients }
        if message.addresses == .domains, engine.asksForLocalParts(message.facts, early: early()) {
            throw .noLocalParts
        }
    }
}

/// Answers recipients as the filter's gate does, with the facts that were known then.
private struct TrialGate {
    private let engine: PolicyEngine
    private let facts: PolicyFacts
    /// Kinds that are not refused while everything is known.
    private var cleared: Set<RecipientKind> = []
    private(set) var kinds = RecipientKinds()
    private(set) var refusals = [TrialVerdict.Refusal]()

    init(_ engine: PolicyEngine, _ facts: PolicyFacts) {
        self.engine = engine
        self.facts = facts
    }

    /// Takes or refuses a recipient; a check that was open then stays open, and has not refused anybody.
    mutating func recipient(_ place: Int, _ recipient: MailAddress, knowing known: PerCheck<Bool>?) {
        let kind = engine.kind(of: recipient)
        if known != nil || !cleared.contains(kind) {
            let decision = engine.atRecipient(known.map(facts.ofEnvelope(knowing:)) ?? facts, recipient, kind)
            if case .refuse(let verdict) = decision {
                return refusals.append(TrialVerdict.Refusal(recipient: place, verdict: verdict))
            }
        }
        if known == nil, kinds.count > 0 { cleared.insert(kind) }
        kinds.append(recipient, kind)
    }
}

// MARK: What is known of the message

extension StoredFacts {
    fileprivate func checkSubject(_ engine: PolicyEngine) throws(Untried) {
        switch subject {
        case .judged:
            if hasProblem, engine.mode == .enforce { throw .problem }
        case .unjudged: throw .unjudged
        case .outbound: throw .outbound
        case .unreadable: throw .unreadable
        }
    }

    fileprivate var knownEarly: KnownEarly { KnownEarly(self) }
}

/// What was known when recipients were answered.
private struct KnownEarly {
    /// The sets of checks with which recipients were answered early.
    let sets: [PerCheck<Bool>]
    /// For each recipient the place of its set; empty where nobody was answered early.
    private var places = [Int?]()

    init(_ message: StoredFacts) {
        sets = message.early.map { group in PerCheck { group.known.contains($0) } }
        guard !sets.isEmpty else { return }
        places = [Int?](repeating: nil, count: message.recipients.count)
        for (index, group) in message.early.enumerated() {
            for recipient in group.recipients where places.indices.contains(recipient) { places[recipient] = index }
        }
    }

    /// The checks that were known for a recipient; nil where all were.
    func set(of recipient: Int) -> PerCheck<Bool>? {
        guard places.indices.contains(recipient) else { return nil }
        return places[recipient].map { sets[$0] }
    }
}

extension PolicyVerdict {
    /// Whether the rules refuse all recipients before DATA, in observe mode.
    fileprivate var isOfRecipientsOnly: Bool {
        guard would?.stage == .rcpt else { return false }
        return mixture?.outcomes.allSatisfy { $0.stage == .rcpt } ?? true
    }
}
