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
        return when.compactMap { evasion(of: $0) } + unless.compactMap { evasion(by: $0) }
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
        let isOfAnybody = condition.name == .dkim
        guard !missing.isEmpty || isOfAnybody else { return nil }
        let better = isOfAnybody ? ConditionName.dkimAligned : condition.name
        return Evasion(
            condition: condition,
            part: "when",
            message: missing.isEmpty
                ? "is escaped by a signature of any domain, the sender's own too: dkim is \"pass\" then"
                : "is escaped by a sender who makes \(condition.name.rawValue) "
                    + missing.map { "\"\($0.rawValue)\"" }.joined(separator: " or "),
            accepted: "\(better.rawValue) = \"!pass\""
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
            accepted: first.name == .dkim
                ? "dkim_aligned = \"pass\", or dkim_domains" : "a condition beside it that says who is exempt"
        )
    }
}

extension ConditionName {
    /// The results that mean "nobody vouches": a rule with one of them must list the others too.
    ///
    /// Nil for a check whose results no sender can choose.
    fileprivate var inviting: [ResultWord]? {
        switch self {
        // The result depends on the way in which the signature is broken.
        case .dkim, .dkimAligned: [.none, .fail, .policy, .neutral, .permerror]
        // The domain's owner chooses between fail and softfail, and the sender chooses between that domain and another.
        case .dmarc, .spf, .spfHelo, .senderID: [ResultWord.none]
        // The result for an address without a name is permerror.
        case .iprev: [.fail]
        case .senderIDAligned, .dmarcPolicy, .dmarcPublished, .clients, .clientNames, .helo, .senderDomains,
            .fromDomains,
            .dkimDomains, .recipientDomains, .recipients, .authenticated, .fromCount, .author:
            nil
        }
    }

    /// The results that vouch for nobody and that a sender can bring about.
    fileprivate var vouchingForNothing: [ResultWord] {
        switch checks.first {
        case .dkim?: words.filter { $0 != .pass }
        case .iprev?: [.permerror]
        case .spf?, .spfHelo?, .senderID?, .dmarc?: [.permerror, .temperror]
        case nil: []
        }
    }

    /// Whether the condition concerns the author, so that a rule with it does not depend only on other identities.
    fileprivate var isAboutAuthor: Bool {
        switch self {
        case .senderIDAligned, .dkimAligned, .dmarc, .dmarcPolicy, .dmarcPublished, .fromDomains, .author, .fromCount:
            true
        case .spf, .spfHelo, .senderID, .dkim, .iprev, .clients, .clientNames, .helo, .senderDomains, .dkimDomains,
            .recipientDomains, .recipients, .authenticated:
            false
        }
    }

    /// Whether the condition concerns MAIL FROM or the purported responsible address.
    fileprivate var isAboutSender: Bool { [.spf, .senderID, .senderDomains].contains(self) }

    /// Whether every author can make the condition pass with their own domain.
    fileprivate var isPassedByAnyAuthor: Bool { [.dkimAligned, .dmarc].contains(self) }

    /// Whether every sender can make the condition pass.
    fileprivate var isPassedByAnybody: Bool {
        switch self {
        case .spf, .spfHelo, .senderID, .dkim, .iprev: true
        case .senderIDAligned, .dkimAligned, .dmarc, .dmarcPolicy, .dmarcPublished, .clients, .clientNames, .helo,
            .senderDomains, .fromDomains, .dkimDomains, .recipientDomains, .recipients, .authenticated, .fromCount,
            .author:
            false
        }
    }
}
