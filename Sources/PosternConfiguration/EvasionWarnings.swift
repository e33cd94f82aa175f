internal import Policy

/// A way around a rule that its conditions leave open to senders.
struct Evasion {
    /// The condition.
    let condition: Condition
    /// `when` or `unless`.
    let part: String
    /// What a sender can do.
    let message: String
    /// The change that closes the way.
    let accepted: String
}

extension Rule {
    /// The ways in which a sender who chooses the result of a check can avoid the rule; none for a rule that harms
    /// nobody.
    ///
    /// Results that vouch for nobody are alike for a sender: a rule that lists only some of them invites the others.
    var evasions: [Evasion] {
        guard action != .accept, action != .mark else { return [] }
        return when.compactMap { evasion(of: $0) }
            + unless.compactMap { evasion(by: $0) ?? evasion(byClaim: $0) ?? evasion(byList: $0) }
    }

    private func evasion(of condition: Condition) -> Evasion? {
        guard case .words = condition.values, !condition.holds(for: .pass) else { return nil }
        let words = condition.name.words.filter { condition.holds(for: $0) }
        guard let inviting = condition.name.inviting, words.contains(where: inviting.contains) else { return nil }
        let nothing = condition.name.vouchingForNothing.filter { word in
            // If a rule needs certainty, a check without an answer leaves the rule undecided.
            word != .temperror || !action.needsAnswers
        }
        let missing = nothing.filter { !words.contains($0) }
        let isOfAnybody = condition.name == .result(.dkim)
        guard !missing.isEmpty || isOfAnybody else { return nil }
        let better = isOfAnybody ? ConditionName.fact(.dkimAligned) : condition.name
        return Evasion(
            condition: condition,
            part: "when",
            message: missing.isEmpty
                ? "is escaped by a signature of any domain, the sender's own too: dkim is \"pass\" then"
                : "is escaped by a sender who makes \(condition.name.rawValue) "
                    + missing.map { "\"\($0.rawValue)\"" }.joined(separator: " or "),
            accepted: isOfAnybody ? "\(better.rawValue) = \"!pass\"" : condition.adding(missing, besides: nothing)
        )
    }

    private func evasion(by exemption: [Condition]) -> Evasion? {
        let isAboutAuthor = when.contains { $0.name.isAboutAuthor }
        let isForAnybody = exemption.allSatisfy {
            ($0.name.isPassedByAnybody || !isAboutAuthor && $0.name.isPassedByAnyAuthor) && $0.holds(for: .pass)
        }
        guard isForAnybody, let first = exemption.first else { return nil }
        if let ofAuthor = exemption.first(where: { $0.name.isPassedByAnyAuthor }) {
            guard when.contains(where: { $0.name.isAboutSender }) else { return nil }
            return Evasion(
                condition: ofAuthor,
                part: "unless",
                message:
                    "exempts everybody who writes a From of his own domain: \(ofAuthor.name.rawValue) is about the author, "
                    + "and the rule about a sender who may be another",
                accepted: "sender_id_aligned or from_domains beside it"
            )
        }
        return Evasion(
            condition: first,
            part: "unless",
            message: "exempts everybody: a sender can make \(first.name.rawValue) \"pass\" with a domain of his own",
            accepted: first.name.betterExemption
        )
    }
}

extension Rule {
    /// The way of a sender who only claims to be the one who is exempt.
    private func evasion(byClaim exemption: [Condition]) -> Evasion? {
        guard exemption.allSatisfy(\.provesNothing), let claimed = exemption.first(where: { $0.claim != nil }),
            let proof = claimed.claim
        else { return nil }
        let passing = exemption.first { $0.name.isPassedByAnybody }?.name.rawValue
        return Evasion(
            condition: claimed,
            part: "unless",
            message: "exempts whoever claims it: \(claimed.name.rawValue) is what the sender says, and "
                + (passing.map { "\($0) may be about another domain" } ?? "nothing vouches for it"),
            accepted: proof + " beside it"
        )
    }
}

extension Rule {
    /// The way of a sender who runs a list of his own domain, past a rule that only flags.
    ///
    /// A refusal is another matter: RFC 9989 § 7.4 advises against it for whatever is a list.
    private func evasion(byList exemption: [Condition]) -> Evasion? {
        let isList = { (condition: Condition) in condition.name == .fact(.listVerified) && condition.isTrue }
        guard action == .junk, let list = exemption.first(where: isList),
            exemption.allSatisfy({ isList($0) || $0.provesNothing && $0.name != .fact(.listID) })
        else { return nil }
        return Evasion(
            condition: list,
            part: "unless",
            message: "exempts everybody: whoever signs with a domain of his own can write a List-Id of it",
            accepted: "list_id beside it"
        )
    }
}

extension Condition {
    /// Whether senders can make the condition hold whoever they are.
    fileprivate var provesNothing: Bool {
        switch name.kind {
        case .result: name.isPassedByAnybody || name.words.contains { $0 != .pass && holds(for: $0) }
        case .policy, .reading, .count, .address: true
        case .domain: claim != nil || name.isOfRecipient || name == .fact(.listID)
        case .flag: name == .fact(.spfOpen)
        case .network: false
        }
    }

    /// What proves that a sender says the truth with which the condition holds; nil for a condition that the word of a
    /// sender does not make true.
    fileprivate var claim: String? {
        guard case .domains(let choice) = values, choice.wanted != nil else { return nil }
        return switch name {
        case .fact(.helo), .fact(.senderDomains): "clients or client_names"
        case .fact(.listID): "list_verified = true"
        case .fact(.fromDomains): "dkim_aligned = \"pass\", clients or client_names"
        default: nil
        }
    }

    /// The condition as it is written when it holds for more results, and for no others.
    ///
    /// - Parameters:
    ///   - more: the results.
    ///   - nothing: the other results that make no difference between "!pass" and a list of words.
    fileprivate func adding(_ more: [ResultWord], besides nothing: [ResultWord]) -> String {
        let wanted = name.words.filter { holds(for: $0) || more.contains($0) }
        let others = name.words.filter { !wanted.contains($0) && ($0 != .temperror || nothing.contains($0)) }
        let words =
            if others == [.pass] {
                ["!pass"]
            } else if case .words(let choice) = values, choice.wanted == nil {
                name.words.filter { !wanted.contains($0) }.map { "!\($0.rawValue)" }
            } else {
                wanted.map(\.rawValue)
            }
        let list = words.map { "\"\($0)\"" }.joined(separator: ", ")
        return "\(name.rawValue) = \(words.count == 1 ? list : "[\(list)]")"
    }
}

extension ConditionName {
    /// The results that mean "nobody vouches": a rule with one of them must list the others too.
    ///
    /// Nil for a condition whose results no sender can choose.
    fileprivate var inviting: [ResultWord]? {
        switch self {
        case .result(let check): check.inviting
        case .fact(let fact): fact.inviting
        }
    }

    /// The results that vouch for nobody and that a sender can bring about.
    fileprivate var vouchingForNothing: [ResultWord] { checks.first?.vouchingForNothing ?? [] }

    /// Whether the condition concerns the author, so that a rule with it does not depend only on other identities.
    fileprivate var isAboutAuthor: Bool {
        switch self {
        case .result(let check): check.isAboutAuthor
        case .fact(let fact): fact.isAboutAuthor
        }
    }

    /// What exempts only those who are meant, where every sender can make the condition pass.
    fileprivate var betterExemption: String {
        switch self {
        case .result(.dkim): "dkim_aligned = \"pass\", or dkim_domains"
        case .result(.arc): "arc_sealers"
        default: "a condition beside it that says who is exempt"
        }
    }

    /// Whether the condition concerns MAIL FROM or the purported responsible address.
    fileprivate var isAboutSender: Bool {
        [.result(.spf), .result(.senderID), .fact(.senderDomains)].contains(self)
    }

    /// Whether every author can make the condition pass with their own domain.
    fileprivate var isPassedByAnyAuthor: Bool {
        if case .result(let check) = self { check.isAboutAuthor } else { self == .fact(.dkimAligned) }
    }

    /// Whether every sender can make the condition pass.
    fileprivate var isPassedByAnybody: Bool {
        if case .result(let check) = self { !check.isAboutAuthor } else { false }
    }
}

extension ConditionName.Fact {
    fileprivate var inviting: [ResultWord]? {
        switch self {
        case .dkimAligned: Check.dkim.inviting
        case .senderIDAligned, .dmarcPolicy, .dmarcPublished, .clients, .clientNames, .permittedBy, .spfOpen, .helo,
            .senderDomains, .fromDomains, .dkimDomains, .arcSealers, .listID, .listVerified, .forwarded,
            .recipientDomains, .recipients, .authenticated, .fromCount, .author:
            nil
        }
    }

    fileprivate var isAboutAuthor: Bool {
        switch self {
        case .senderIDAligned, .dkimAligned, .dmarcPolicy, .dmarcPublished, .fromDomains, .author, .fromCount: true
        case .clients, .clientNames, .permittedBy, .spfOpen, .helo, .senderDomains, .dkimDomains, .arcSealers, .listID,
            .listVerified, .forwarded, .recipientDomains, .recipients, .authenticated:
            false
        }
    }
}
