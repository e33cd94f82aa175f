internal import MailSyntax

extension Rule {
    /// The reply of this rule if it refuses.
    func makeReply(_ facts: PolicyFacts, recipient: MailAddress?) -> PolicyReply {
        var facts = facts
        // RFC 4406 § 5.3: a refusal because of the PRA gives the explanation of the PRA's domain.
        let asked = when.map(\.name)
        facts.explainsPRA = asked.contains(.result(.senderID)) && !asked.contains(.result(.spf))
        let standard = StandardReply(self, facts).reply(action, facts)
        return reply?.filled(facts, rule: name, recipient: recipient, standard: standard) ?? standard
    }
}

/// The reply of a rule without a reply of its own, by the checks that did not pass.
private struct StandardReply {
    private var failed: [(check: Check, name: ConditionName, word: ResultWord)] = []

    init(_ rule: Rule, _ facts: PolicyFacts) {
        for condition in rule.when {
            guard let word = facts.word(condition.name), word != .pass, let check = condition.name.checks.first else {
                continue
            }
            failed.append((check, condition.name, word))
        }
    }

    func reply(_ action: RuleAction, _ facts: PolicyFacts) -> PolicyReply {
        let (detail, text) = detail(facts)
        return action == .tempfail
            ? PolicyReply(code: 451, enhanced: "4.7.\(detail)", bounding: text + "; try again later")
            : PolicyReply(code: 550, enhanced: "5.7.\(detail)", bounding: text)
    }

    private func detail(_ facts: PolicyFacts) -> (Int, String) {
        guard let first = failed.first else { return (1, "Refused by local policy") }
        // RFC 7372 § 3.3: X.7.26 when several checks failed.
        guard Set(failed.map(\.check.setting)).count == 1 else {
            let results = failed.map { "\($0.name.rawValue)=\($0.word.rawValue)" }
            return (26, "Several authentication checks failed: " + results.joined(separator: " "))
        }
        switch first.check {
        case .spf, .spfHelo: return spf(first.name, first.word, facts)
        case .senderID where first.name == .fact(.senderIDAligned):
            return (1, "Sender ID (PRA) does not vouch for the author")
        case .senderID:
            // RFC 4406 § 5.3 gives this reply, with 5.7.1.
            let text = "Sender ID (PRA) \(first.word.rawValue): " + facts.permission(first.word, facts.praDomain)
            return (1, text + explanation(first.word, facts.praDomain, facts.senderIDExplanation, facts))
        case .dkim: return dkim(first.name, first.word)
        case .dmarc:
            let domain = facts.fromDomains?.first.map { " for " + ReplyText.quoted($0.description, limit: 128) } ?? ""
            return (1, "DMARC \(first.word.rawValue)" + domain)
        case .arc: return (1, "ARC \(first.word.rawValue)")
        case .iprev:
            // RFC 7372 § 3.3: X.7.25.
            return (25, "Reverse DNS \(first.word.rawValue) for \(facts.client?.description ?? "the client")")
        }
    }

    private func spf(_ name: ConditionName, _ word: ResultWord, _ facts: PolicyFacts) -> (Int, String) {
        let identity = name == .result(.spf) ? facts.envelopeDomain : facts.helo
        let text = "SPF \(word.rawValue): " + facts.permission(word, identity)
        // RFC 7372 § 3.2: X.7.24 is for evaluation errors, X.7.23 for a result that local policy does not accept.
        if word == .temperror || word == .permerror { return (24, text) }
        return (23, text + explanation(word, identity, facts.explanation, facts))
    }

    /// What the domain that forbids it says why, where it says something.
    private func explanation(_ word: ResultWord, _ domain: String?, _ given: String?, _ facts: PolicyFacts) -> String {
        guard word == .fail, given?.isEmpty == false else { return "" }
        return "; \(ReplyText.quoted(domain ?? "unknown", limit: 128)) explains: \(facts.explanationText)"
    }

    private func dkim(_ name: ConditionName, _ word: ResultWord) -> (Int, String) {
        // RFC 7372 § 3.1: X.7.22 when no signature is by the author's domain, X.7.21 when a signature is valid but not
        // acceptable, X.7.20 when no signature passes.
        if name == .fact(.dkimAligned) { return (22, "No valid DKIM signature by the author's domain") }
        if word == .policy { return (21, "No acceptable DKIM signature") }
        return (20, "No passing DKIM signature: dkim=\(word.rawValue)")
    }
}
