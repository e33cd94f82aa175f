internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import PosternSetup
internal import Synchronization

/// How many messages there were, of which kind.
final class Counters: Sendable {
    /// A rule with what it did or would have done.
    struct RuleOutcome: Hashable, Sendable {
        /// The rule's name.
        let rule: String
        /// `acted`, `would` (observe mode or a rule on trial), `marked`, `exempted`, `undecided` or `mixed` (for some recipients).
        let outcome: String

        /// Every outcome.
        static let outcomes = ["acted", "would", "marked", "exempted", "undecided", "mixed"]
    }

    /// A check with its result.
    struct CheckResult: Hashable, Sendable {
        /// The check, as conditions name it.
        let check: String
        /// Its result word.
        let result: String
    }

    /// The numbers so far.
    struct Values: Sendable {
        var messages: [String: Int] = [:]
        /// How often each check had each result: each word has one bit of its own, and its place by that.
        fileprivate var resultCounts = PerCheck { _ in [Int](repeating: 0, count: UInt16.bitWidth) }
        var rules: [RuleOutcome: Int] = [:]
        var refusedRecipients = 0
        var sentAwayRecipients = 0
        var putOffMessages = 0
        /// Messages of which a rule could not be decided, by what was done with them.
        var undecidedMessages: [String: Int] = [:]
        /// Messages on which a rule on DMARC did not act, by the trusted forwarder that had sent them.
        var excusedMessages: [String: Int] = [:]
        var forgedFields = 0
        var signatures = 0
        var seals = 0
        var lookups = 0
        var cachedLookups = 0
        var reloads = 0
        var failedReloads = 0
        /// When the configuration came in force, at the start or by a reload.
        var configured = Clock.now
        /// Whether the file was good when it was last read.
        var isLastConfigurationGood = true
    }

    /// When the counting began.
    let began = Clock.now
    private let state = Mutex(Values())

    /// The numbers so far.
    var values: Values { state.withLock { $0 } }

    /// Changes numbers.
    func update(_ change: (inout sending Values) -> Void) {
        state.withLock { change(&$0) }
    }

    /// Counts a judged message.
    ///
    /// - Parameters:
    ///   - judgement: what was found and done.
    ///   - delivery: what is told of the message beside it.
    func count(_ judgement: Judgement, _ delivery: Delivery) {
        let found = judgement.summary
        let lookups = judgement.lookupCounts
        update { values in
            values.messages[judgement.verdict.action.rawValue, default: 0] += 1
            for check in Check.allCases {
                if let word = found.results[check] { values.resultCounts[check][word.place] += 1 }
            }
            values.refusedRecipients += delivery.refused.count
            values.sentAwayRecipients += delivery.sentAway
            if delivery.sealing?.seal != nil { values.seals += 1 }
            if judgement.verdict.mixture?.isPutOff == true { values.putOffMessages += 1 }
            if !judgement.verdict.undecided.isEmpty {
                values.undecidedMessages[judgement.verdict.action.rawValue, default: 0] += 1
            }
            if let excuse = judgement.verdict.excuse, excuse.kind == .trustedForwarder {
                values.excusedMessages[excuse.name, default: 0] += 1
            }
            values.forgedFields += judgement.removedFields.count
            values.lookups += lookups.all
            values.cachedLookups += lookups.cached
            for outcome in judgement.verdict.ruleOutcomes { values.rules[outcome, default: 0] += 1 }
        }
    }
}

extension Counters.Values {
    /// How often each check had each result, without what never happened.
    var results: [Counters.CheckResult: Int] {
        var results: [Counters.CheckResult: Int] = [:]
        for check in Check.allCases {
            for word in ResultWord.allCases where resultCounts[check][word.place] > 0 {
                let result = Counters.CheckResult(check: check.rawValue, result: word.rawValue)
                results[result] = resultCounts[check][word.place]
            }
        }
        return results
    }
}

extension ResultWord {
    fileprivate var place: Int { bit.trailingZeroBitCount }
}

extension PolicyVerdict {
    /// Every rule that had a say, with what became of it.
    fileprivate var ruleOutcomes: [Counters.RuleOutcome] {
        var outcomes = [Counters.RuleOutcome]()
        func add(_ rule: RuleReference?, _ outcome: String) {
            if let rule { outcomes.append(Counters.RuleOutcome(rule: rule.name, outcome: outcome)) }
        }
        add(rule, "acted")
        add(would?.rule, "would")
        for match in observed { add(match.rule, "would") }
        for mark in marks { add(mark, "marked") }
        for exemption in exempted { add(exemption, "exempted") }
        for rule in undecided { add(rule.rule, "undecided") }
        for outcome in mixture?.outcomes ?? [] where outcome.rule != rule { add(outcome.rule, "mixed") }
        return outcomes
    }
}
