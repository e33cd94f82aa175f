public import MailSyntax

/// Values that must match, and values that must not.
///
/// A list holds if one of its plain values matches and none of its values with `!` does. A list of `!` values alone
/// holds if none of them matches.
public struct Choice<Values: Sendable>: Sendable {
    /// The plain values; nil when there are none.
    public var wanted: Values?
    /// The values with `!`; nil when there are none.
    public var excluded: Values?

    /// A choice of these values.
    public init(wanted: Values?, excluded: Values? = nil) {
        self.wanted = wanted
        self.excluded = excluded
    }

    /// Whether the choice holds, where `matches` tells whether some values match.
    ///
    /// - Parameter isComplete: false when further facts may come that could match.
    func holds(isComplete: Bool = true, _ matches: (Values) -> Bool) -> Truth {
        if let excluded, matches(excluded) { return .no }
        guard let wanted else { return isComplete ? .yes : .unknown }
        guard matches(wanted) else { return isComplete ? .no : .unknown }
        return isComplete || excluded == nil ? .yes : .unknown
    }
}

/// A comparison with a number.
public struct CountTest: Hashable, Sendable {
    /// The relation to the number.
    public enum Relation: String, CaseIterable, Sendable {
        /// At least the number.
        case atLeast = ">="
        /// At most the number.
        case atMost = "<="
        /// More than the number.
        case above = ">"
        /// Less than the number.
        case below = "<"
        /// Exactly the number.
        case equal = ""
    }

    /// The relation to the number.
    public let relation: Relation
    /// The number to compare with.
    public let number: Int

    /// A comparison with a number.
    public init(_ relation: Relation, _ number: Int) {
        self.relation = relation
        self.number = number
    }

    func holds(_ count: Int) -> Bool {
        switch relation {
        case .atLeast: count >= number
        case .atMost: count <= number
        case .above: count > number
        case .below: count < number
        case .equal: count == number
        }
    }
}

/// One condition of a rule.
public struct Condition: Sendable {
    /// The values that the fact is compared with.
    public enum Values: Sendable {
        /// Result words.
        case words(Choice<WordSet<ResultWord>>)
        /// Words of a DMARC policy.
        case policies(Choice<WordSet<DMARCPolicyWord>>)
        /// Words for how the author could be read.
        case readings(Choice<WordSet<AuthorReading>>)
        /// Networks.
        case networks(Choice<NetworkSet>)
        /// Domain names.
        case domains(Choice<DomainSet>)
        /// Mail addresses.
        case addresses(Choice<AddressSet>)
        /// Yes or no.
        case flag(Bool)
        /// Numbers.
        case counts(Choice<[CountTest]>)

        /// The kind of the values.
        public var kind: ConditionName.Kind {
            switch self {
            case .words: .result
            case .policies: .policy
            case .readings: .reading
            case .networks: .network
            case .domains: .domain
            case .addresses: .address
            case .flag: .flag
            case .counts: .count
            }
        }
    }

    /// The name of the fact.
    public let name: ConditionName
    /// The values that the fact must or must not have.
    public let values: Values
    /// The values as the configuration writes them.
    public let text: String
    /// The place of the condition in the file.
    public let location: PolicyLocation

    /// A condition; `values` must be of the kind of `name`.
    public init(_ name: ConditionName, _ values: Values, text: String, location: PolicyLocation) {
        self.name = name
        self.values = values
        self.text = text
        self.location = location
    }

    /// Whether the condition equals another in meaning.
    func asksTheSame(as other: Condition) -> Bool { name == other.name && text == other.text }

    /// Whether the condition, which is on recipients, holds for a recipient with the domain `domain`.
    func holds(for recipient: MailAddress, _ domain: DomainName?) -> Bool {
        switch values {
        case .domains(let choice): choice.holds { set in domain.map(set.contains) ?? false } == .yes
        case .addresses(let choice): choice.holds { $0.contains(recipient, domain) } == .yes
        case .words, .policies, .readings, .networks, .flag, .counts: false
        }
    }

    /// Whether the condition, which is not on recipients, holds.
    ///
    /// - Parameter needsAnswers: whether a check that got no answer leaves the condition unanswered, unless the
    ///   condition names that result. If false, the result is a word like the others, and names not found are absent.
    func holds(_ facts: PolicyFacts, needsAnswers: Bool = false) -> Truth {
        switch values {
        case .words(let choice):
            guard let word = facts.word(name) else { return .unknown }
            if word == .temperror, needsAnswers, !namesNoAnswer { return .unanswered }
            return choice.holds { $0.contains(word) }
        case .policies(let choice):
            if let policy = facts.policy(name) { return choice.holds { $0.contains(policy) } }
            guard facts.results.dmarc == .temperror else { return .unknown }
            return needsAnswers ? .unanswered : choice.holds { _ in false }
        case .readings(let choice):
            guard let reading = facts.author else { return .unknown }
            return choice.holds { $0.contains(reading) }
        case .networks(let choice):
            guard let client = facts.client else { return .unknown }
            return choice.holds { $0.contains(client) }
        case .domains(let choice): return holds(choice, facts, needsAnswers: needsAnswers)
        case .addresses: return .unknown
        case .flag(let wanted):
            switch facts.truth(name) {
            case .yes: return Truth(wanted)
            case .no: return Truth(!wanted)
            case .unknown: return .unknown
            case .unanswered: return needsAnswers ? .unanswered : Truth(!wanted)
            }
        case .counts(let choice):
            guard let count = facts.fromCount else { return .unknown }
            return choice.holds { $0.contains { $0.holds(count) } }
        }
    }

    /// Whether the condition itself names the result of a check that gets no answer.
    public var namesNoAnswer: Bool {
        guard case .words(let choice) = values else { return false }
        return [choice.wanted, choice.excluded].contains { $0?.contains(.temperror) == true }
    }

    private func holds(_ choice: Choice<DomainSet>, _ facts: PolicyFacts, needsAnswers: Bool) -> Truth {
        func one(_ name: DomainName?) -> Truth { choice.holds { set in name.map(set.contains) ?? false } }
        func any(_ names: [DomainName]?) -> Truth {
            names.map { names in choice.holds { names.contains(where: $0.contains) } } ?? .unknown
        }
        guard case .fact(let fact) = name else { return .unknown }
        switch fact {
        case .helo: return facts.helo.map { one(try? DomainName(unicode: Octets($0))) } ?? .unknown
        case .senderDomains:
            guard let mailFrom = facts.mailFrom else { return .unknown }
            let names = [mailFrom.domain, facts.pra?.domain].compactMap { $0 }
            return choice.holds(isComplete: facts.pra != nil) { names.contains(where: $0.contains) }
        case .fromDomains: return any(facts.fromDomains)
        case .dkimDomains:
            guard let passed = facts.dkimDomains, needsAnswers else { return any(facts.dkimDomains) }
            return choice.holds(of: passed, perhaps: facts.unansweredDKIMDomains)
        case .arcSealers:
            guard let sealers = facts.arcSealers, needsAnswers else { return any(facts.arcSealers) }
            return choice.holds(of: sealers, perhaps: facts.unansweredARCSealers)
        case .listID: return any(facts.listDomains)
        case .permittedBy:
            guard let permitting = facts.permittedBy, needsAnswers else { return any(facts.permittedBy) }
            return choice.holds(of: permitting, perhaps: facts.unansweredPermits)
        case .clientNames:
            guard let names = facts.clientNames, needsAnswers else { return any(facts.clientNames) }
            // The DNS did not even say which names the client claims.
            let isUnanswered = facts.results.iprev == .temperror && facts.unansweredClientNames.isEmpty
            return isUnanswered ? .unanswered : choice.holds(of: names, perhaps: facts.unansweredClientNames)
        // Conditions on recipients are evaluated elsewhere, and the other conditions are not on domains.
        case .recipientDomains, .recipients, .senderIDAligned, .dkimAligned, .dmarcPolicy, .dmarcPublished, .clients,
            .spfOpen, .listVerified, .forwarded, .authenticated, .fromCount, .author:
            return .unknown
        }
    }
}

extension Choice where Values == DomainSet {
    /// Whether the choice holds for some names, to which the others may belong too.
    fileprivate func holds(of names: [DomainName], perhaps others: [DomainName]) -> Truth {
        func match(_ names: [DomainName], _ set: DomainSet) -> Bool { names.contains(where: set.contains) }
        if let excluded, match(names, excluded) { return .no }
        if wanted.map({ match(names, $0) }) ?? true {
            return excluded.map { match(others, $0) } == true ? .unanswered : .yes
        }
        return wanted.map { match(others, $0) } == true ? .unanswered : .no
    }
}

extension PolicyFacts {
    /// The result for a condition on result words.
    func word(_ name: ConditionName) -> ResultWord? {
        switch name {
        case .result(let check): results[check]
        case .fact(let fact): word(fact)
        }
    }

    private func word(_ fact: ConditionName.Fact) -> ResultWord? {
        switch fact {
        case .senderIDAligned: senderIDAligned
        case .dkimAligned: dkimAligned
        case .dmarcPolicy, .dmarcPublished, .clients, .clientNames, .permittedBy, .spfOpen, .helo, .senderDomains,
            .fromDomains, .dkimDomains, .arcSealers, .listID, .listVerified, .forwarded, .recipientDomains,
            .recipients, .authenticated, .fromCount, .author:
            nil
        }
    }

    /// The fact for a condition that is a yes or no.
    func truth(_ name: ConditionName) -> Truth {
        guard case .fact(let fact) = name else { return .unknown }
        switch fact {
        case .authenticated: return authenticated.map { Truth($0) } ?? .unknown
        case .spfOpen: return spfOpen
        case .listVerified: return listVerified
        case .forwarded: return forwarded
        case .senderIDAligned, .dkimAligned, .dmarcPolicy, .dmarcPublished, .clients, .clientNames, .permittedBy, .helo,
            .senderDomains, .fromDomains, .dkimDomains, .arcSealers, .listID, .recipientDomains, .recipients,
            .fromCount, .author:
            return .unknown
        }
    }

    /// The policy for a condition on policies.
    func policy(_ name: ConditionName) -> DMARCPolicyWord? {
        if case .fact(.dmarcPublished) = name { dmarcPublished } else { dmarcPolicy }
    }

    /// The fact for a condition, in printable words; nil when it is not known.
    func text(_ name: ConditionName, for recipient: MailAddress?) -> String? {
        func list(_ names: [DomainName]?) -> String? {
            names.map { $0.isEmpty ? "(no domain)" : $0.map(\.description).joined(separator: ", ") }
        }
        guard case .fact(let fact) = name else { return word(name)?.rawValue }
        switch fact {
        case .senderIDAligned, .dkimAligned: return word(name)?.rawValue
        case .dmarcPolicy, .dmarcPublished: return policy(name)?.rawValue
        case .clients: return client?.description
        case .clientNames: return list(clientNames)
        case .helo: return helo.map { ReplyText.quoted($0, limit: 200) }
        case .senderDomains:
            return mailFrom.map { mailFrom in
                list([mailFrom.domain, pra?.domain].compactMap { $0 }).map { pra == nil ? $0 + ", PRA unknown" : $0 }
                    ?? ""
            }
        case .fromDomains: return list(fromDomains)
        case .dkimDomains: return list(dkimDomains)
        case .arcSealers: return list(arcSealers)
        case .listID: return list(listDomains)
        case .permittedBy: return list(permittedBy)
        case .recipientDomains: return recipient.map { $0.domain?.description ?? "(no domain)" }
        case .recipients: return recipient.map { ReplyText.quoted($0.text, limit: 320) }
        case .authenticated, .spfOpen, .listVerified, .forwarded:
            switch truth(name) {
            case .yes: return "true"
            case .no: return "false"
            case .unknown, .unanswered: return nil
            }
        case .fromCount: return fromCount.map { String($0) }
        case .author: return author?.rawValue
        }
    }
}
