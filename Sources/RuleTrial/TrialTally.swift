internal import MailSyntax
internal import Policy

/// Counts what rules do to stored messages; it needs the same memory for ten messages and for ten million.
public struct TrialTally: Sendable {
    /// A change between what was done and what the new rules do.
    struct Change: Hashable {
        let then: Disposition
        let now: Disposition
    }

    /// How often a change was seen, and where.
    struct ChangeTally {
        var count = 0
        var samples = Samples()
    }

    let trial: Trial
    private let places: [String: Int]
    private(set) var tried = 0
    private(set) var untried = [Untried: Int]()
    private(set) var actions = ActionCounts()
    private(set) var partial = 0
    private(set) var honest = ActionCounts()
    private(set) var honestPartial = 0
    private(set) var unproven = UnprovenTally()
    private(set) var rules: [RuleTally]
    private(set) var changes = [Change: ChangeTally]()
    private(set) var unchanged = 0
    private(set) var otherwise = 0

    /// A tally of nothing.
    public init(_ trial: Trial) {
        self.trial = trial
        let names = trial.engine.rules.map(\.name)
        places = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
        rules = Array(repeating: RuleTally(), count: names.count)
    }

    /// Tries the rules on a message.
    ///
    /// - Parameters:
    ///   - octets: its stored facts.
    ///   - id: its queue ID, asked for where it becomes an example.
    public mutating func add(_ octets: [UInt8], id: () -> String?) {
        do throws(StoredFacts.ReadingError) {
            add(try StoredFacts(octets: octets), id: id)
        } catch {
            untried[error == .damaged ? .unreadable : .unknownVersion, default: 0] += 1
        }
    }

    /// Tries the rules on a message.
    ///
    /// - Parameters:
    ///   - message: its stored facts.
    ///   - id: its queue ID, asked for where it becomes an example.
    public mutating func add(_ message: StoredFacts, id: () -> String?) {
        do throws(Untried) {
            let verdict = try trial.verdict(message)
            tried += 1
            count(RuleEffects(verdict), message.facts, id)
            compare(message.recorded, verdict, id)
            for open in trial.openRules(message) { rules[open.place].lacked[open.check] += 1 }
        } catch {
            untried[error, default: 0] += 1
        }
    }

    private mutating func count(_ effects: RuleEffects, _ facts: PolicyFacts, _ id: () -> String?) {
        actions[effects.action] += 1
        if effects.isPartial { partial += 1 }
        let isHonest = facts.isHonest
        if isHonest {
            honest[effects.action] += 1
            if effects.isPartial { honestPartial += 1 }
        }
        if !isHonest, effects.effects.contains(where: { $0.hit != nil }) { unproven.add(facts) }
        for effect in effects.effects {
            guard let place = places[effect.rule] else { continue }
            rules[place].count(effect)
            guard effect.hit != nil else { continue }
            rules[place].hits.add(facts, id)
            if isHonest { rules[place].honest.add(facts, id) }
        }
    }

    private mutating func compare(_ recorded: RecordedVerdict, _ verdict: TrialVerdict, _ id: () -> String?) {
        let now = RecordedVerdict(verdict, mode: trial.engine.mode)
        let change = Change(then: Disposition(recorded), now: Disposition(now))
        guard change.then == change.now else {
            changes[change, default: ChangeTally()].count += 1
            changes[change]?.samples.add(id)
            return
        }
        if recorded.isDecided(as: now) { unchanged += 1 } else { otherwise += 1 }
    }
}

extension RuleTally {
    fileprivate mutating func count(_ effect: RuleEffects.Effect) {
        switch effect.kind {
        case .acts(let action): acted[action] += 1
        case .onTrial: onTrial += 1
        case .exempts: exempted += 1
        case .undecided: undecided += 1
        }
    }
}

/// What the sender and the recipients notice of a verdict.
struct Disposition: Hashable, Sendable, CustomStringConvertible {
    let action: RecordedVerdict.Action
    /// What enforce mode would have done.
    let would: RecordedVerdict.Action?
    /// Whether some recipients were refused, and the message was not.
    let isPartial: Bool

    init(_ verdict: RecordedVerdict) {
        action = verdict.action
        would = verdict.would?.action
        isPartial = !verdict.action.isRefusal && !verdict.refused.isEmpty
    }

    var description: String {
        action.rawValue + (would.map { ", would \($0.rawValue)" } ?? "") + (isPartial ? ", some refused" : "")
    }
}

extension RecordedVerdict {
    /// Whether the same rules decided the same at the same stages.
    fileprivate func isDecided(as other: RecordedVerdict) -> Bool {
        var other = other
        other.mode = mode
        return self == other
    }
}
