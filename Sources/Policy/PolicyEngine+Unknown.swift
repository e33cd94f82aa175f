/// A rule that may or may not match a message, because a check that it asks about was not made.
public struct OpenRule: Hashable, Sendable {
    /// The place of the rule among the engine's rules.
    public let place: Int
    /// The check.
    public let check: Check
}

extension PolicyEngine {
    /// Whether any rule asks about recipients.
    public var distinguishesRecipients: Bool { !recipientConditions.isEmpty }

    /// The rules that the verdict depends on, and that stay open because a check was not made.
    ///
    /// - Parameters:
    ///   - facts: the known facts at the end of the message.
    ///   - recipients: the recipients; not evaluated where all checks were made.
    public func openRules(_ facts: PolicyFacts, _ recipients: @autoclosure () -> RecipientKinds) -> [OpenRule] {
        guard facts.isLacking || asksForChain && facts.results.arc == nil else { return [] }
        let recipients = recipients()
        var open = [OpenRule]()
        for kind in recipients.members.isEmpty ? [nil] : recipients.members.map(\.kind) {
            for rule in openRules(facts, kind) where !open.contains(rule) { open.append(rule) }
        }
        return open
    }

    private func openRules(_ facts: PolicyFacts, _ kind: RecipientKind?) -> [OpenRule] {
        var open = [OpenRule]()
        let forwarder = forwarder(facts, kind)
        loop: for (place, prepared) in prepared.enumerated() {
            switch prepared.ask(facts, kind, forwarder) {
            case .no, .exempted, .excused, .unanswered: continue
            case .unknown:
                if let check = prepared.rule.missingCheck(facts) { open.append(OpenRule(place: place, check: check)) }
            case .yes: if prepared.rule.isFinal { break loop }
            }
        }
        return open
    }

    /// Whether the verdict depends on a fact that is not known although the checks behind it were made: nobody had
    /// asked for it then.
    ///
    /// - Parameters:
    ///   - facts: the known facts at the end of the message.
    ///   - recipients: the recipients; not evaluated where no rule asks for such a fact.
    public func lacksFacts(_ facts: PolicyFacts, _ recipients: @autoclosure () -> RecipientKinds) -> Bool {
        guard asksForDerived else { return false }
        let members = recipients().members
        return (members.isEmpty ? [nil] : members.map(\.kind)).contains { lacksFacts(facts, $0) }
    }

    private func lacksFacts(_ facts: PolicyFacts, _ kind: RecipientKind?) -> Bool {
        let forwarder = forwarder(facts, kind)
        for prepared in prepared {
            switch prepared.ask(facts, kind, forwarder) {
            case .no, .exempted, .excused, .unanswered: continue
            case .unknown: if prepared.rule.lacksFact(facts) { return true }
            case .yes: if prepared.rule.isFinal { return false }
            }
        }
        return false
    }

    /// Whether the verdict may depend on the local parts of recipients, which are not known.
    ///
    /// - Parameters:
    ///   - facts: the known facts at the end of the message.
    ///   - early: the facts with which recipients are answered before DATA, each set once.
    public func asksForLocalParts(_ facts: PolicyFacts, early: [PolicyFacts]) -> Bool {
        prepared.indices.contains { place in
            let prepared = prepared[place]
            guard prepared.rule.conditions.contains(where: \.isOnLocalParts) else { return false }
            return !prepared.isOut(facts) || (mayRefuseEarly[place] && early.contains { !prepared.isOut($0) })
        }
    }
}

extension PolicyFacts {
    /// Whether a check that is usual was not made.
    fileprivate var isLacking: Bool {
        results.spf == nil || results.spfHelo == nil || results.senderID == nil || results.dkim == nil
            || results.dmarc == nil || results.iprev == nil || pra == nil
    }
}

extension Rule {
    /// Whether a condition of the rule is open for want of a fact that the checks alone do not give.
    fileprivate func lacksFact(_ facts: PolicyFacts) -> Bool {
        conditions.contains { condition in
            condition.name.isDerived && condition.holds(facts) == .unknown
                && condition.name.checks.allSatisfy { facts.results[$0] != nil }
        }
    }

    /// The first check that was not made, and that leaves a condition of the rule open.
    fileprivate func missingCheck(_ facts: PolicyFacts) -> Check? {
        for condition in conditions where !condition.name.isOfRecipient && condition.holds(facts) == .unknown {
            if let check = condition.name.checks.first(where: { facts.results[$0] == nil }) { return check }
            // The PRA is Sender ID's.
            if condition.name == .fact(.senderDomains) { return .senderID }
        }
        return nil
    }
}

extension Condition {
    /// Whether the condition is on recipients, and does not only ask about their domains.
    fileprivate var isOnLocalParts: Bool {
        guard case .addresses(let choice) = values else { return false }
        return [choice.wanted, choice.excluded].contains { $0?.hasLocalParts == true }
    }
}
