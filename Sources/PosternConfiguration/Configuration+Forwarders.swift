internal import MailSyntax
public import Policy
internal import TOML

extension Configuration {
    /// A forwarder whose mail the rules on DMARC do not see fail.
    public struct Forwarder: Sendable {
        /// Its name, as the log shows it.
        public var name = ""
        /// Its addresses.
        var clients: Condition?
        /// Its verified names.
        var names: Condition?
        /// The domains of its seals.
        var sealers: Condition?
        /// The domains of the recipients that it may forward to; nil for all.
        var recipients: Condition?
        /// The position of the table.
        let position: TOMLPosition

        init(position: TOMLPosition) {
            self.position = position
        }

        /// What shows that the message comes from it.
        var conditions: [Condition] { [clients, names, sealers].compactMap { $0 } }
    }

    /// The trusted forwarders in the form that the rules use.
    public var forwarders: [TrustedForwarder] {
        trustedForwarders.map {
            TrustedForwarder(name: $0.name, conditions: $0.conditions, recipients: $0.recipients)
        }
    }
}

extension Configuration.Forwarder {
    static let settings: [Setting<Self>] = [
        Setting(
            "name",
            \.name,
            .ruleName,
            required: true,
            example: "\"university\"",
            "Its name in the log, in Authentication-Results and in reports. No two have the same."
        ),
        Setting(
            "clients",
            \.clients,
            .named(.clients),
            example: "[\"192.0.2.0/24\"]",
            "Its addresses or networks."
        ),
        Setting(
            "names",
            \.names,
            .named(.clientNames),
            example: "[\".forwarder.example\"]",
            "Its names, once iprev has verified them."
        ),
        Setting(
            "sealers",
            \.sealers,
            .named(.arcSealers),
            example: "[\"forwarder.example\"]",
            """
            The domains of its ARC seals. They count only if every seal verifies, and the newest is one of these: needs \
            [checks.arc].
            """
        ),
        Setting(
            "recipients",
            \.recipients,
            .named(.recipientDomains),
            example: "[\"example.org\"]",
            "The recipient domains that it may forward to; without them, all. Others of the same message are not excused."
        ),
    ]
}

extension ValueType where Value == Condition? {
    /// The values of a condition, none of them with `!`: whoever is trusted is named.
    fileprivate static func named(_ fact: ConditionName.Fact) -> ValueType {
        let name = ConditionName.fact(fact)
        return ValueType(
            name: "list of \(name.valueKind)",
            accepted: name.accepted,
            read: { value, key, reader in
                guard let condition = ConditionReader.condition(name, value, value.position, key, &reader) else {
                    return nil
                }
                guard !condition.excludes else {
                    reader.report(
                        value.position,
                        key,
                        "a value with \"!\" would trust all others",
                        accepted: name.accepted
                    )
                    return nil
                }
                return .some(condition)
            },
            write: { $0?.text }
        )
    }
}

// MARK: Mistakes

extension Configuration {
    /// Reports forwarders that nothing shows, or that have the name of another.
    func checkForwarders(_ reader: inout ConfigurationReader) {
        let unread = Set(reader.problems.map(\.key))
        var seen: [String: Int] = [:]
        for (index, forwarder) in trustedForwarders.enumerated() {
            let path = "trusted_forwarders[\(index + 1)]"
            let isUnread = ["clients", "names", "sealers"].contains { unread.contains("\(path).\($0)") }
            if forwarder.conditions.isEmpty, !isUnread {
                let accepted = "clients, names or sealers, as names = [\".forwarder.example\"]"
                reader.report(forwarder.position, path, "nothing says which server it is", accepted: accepted)
            }
            if let line = seen[forwarder.name], !forwarder.name.isEmpty {
                let message = "the forwarder of line \(line) has the name \"\(forwarder.name)\" already"
                reader.report(forwarder.position, path + ".name", message, accepted: "another name")
            }
            seen[forwarder.name] = seen[forwarder.name] ?? forwarder.position.line
        }
    }

    /// The most domains that rules may ask about by `permitted_by`: each is an evaluation of SPF for every message.
    static let maximumPermits = 16

    /// Reports too many domains in `permitted_by`.
    func checkPermits(_ reader: inout ConfigurationReader) {
        guard rules.permits.count > Self.maximumPermits else { return }
        let index = ruleDrafts.lastIndex { draft in
            (draft.when + draft.unless.joined()).contains { $0.name == .fact(.permittedBy) }
        }
        guard let index else { return }
        reader.report(
            ruleDrafts[index].position,
            "rules[\(index + 1)]",
            "the rules ask about \(rules.permits.count) domains by permitted_by, and each is looked up for every message",
            accepted: "at most \(Self.maximumPermits) domains; client_names and clients cost nothing"
        )
    }

    /// The forwarders that excuse nothing, or too much.
    var forwarderWarnings: [ConfigurationProblem] {
        var found = [ConfigurationProblem]()
        for (index, forwarder) in trustedForwarders.enumerated() {
            let path = "trusted_forwarders[\(index + 1)]"
            for (key, condition) in [("names", forwarder.names), ("sealers", forwarder.sealers)] {
                guard let condition, !isChecked(condition.name) else { continue }
                let message = "the check behind \(key) is switched off, so nobody is known by them"
                found.append(
                    problem("\(path).\(key)", message, accepted: "the check switched on in [checks]", isWarning: true)
                )
            }
            for (key, message) in warnings(about: forwarder) {
                found.append(problem(path + key, message, accepted: "hosts of the forwarder", isWarning: true))
            }
        }
        if let first = trustedForwarders.first, !rules.rules.contains(where: \.asksForDMARC) {
            let message = "\"\(first.name)\" is excused from nothing: no rule has a condition on DMARC"
            found.append(
                problem("trusted_forwarders[1]", message, accepted: "a rule with dmarc in its when", isWarning: true)
            )
        }
        return found
    }

    /// What is wrong with the values by which a forwarder is known: the setting, and what is wrong.
    private func warnings(about forwarder: Forwarder) -> [(key: String, message: String)] {
        var found = [(key: String, message: String)]()
        let clients = forwarder.clients?.networks ?? []
        if let large = clients.filter(\.isLarge).map(\.prefixLength).min() {
            found.append((".clients", "a network of /\(large) trusts a large part of the internet"))
        }
        if let relay = trust.relays.networks.first(where: { relay in clients.contains { $0.overlaps(relay) } }) {
            let message = "\(relay) of trust.relays is among them, and its mail has another client"
            found.append((".clients", message))
        }
        for (key, condition) in [("names", forwarder.names), ("sealers", forwarder.sealers)] {
            for name in (condition?.parents ?? []).filter(\.isForEverybody).sorted(by: { "\($0)" < "\($1)" }) {
                found.append((".\(key)", "anybody can register a name below .\(name)"))
            }
        }
        return found
    }
}

extension Condition {
    /// The networks of a condition on addresses.
    fileprivate var networks: [IPNetwork]? {
        if case .networks(let choice) = values { choice.wanted?.networks } else { nil }
    }

    /// The names below which a condition on domains wants all.
    fileprivate var parents: Set<DomainName>? {
        if case .domains(let choice) = values { choice.wanted?.parents } else { nil }
    }
}

extension DomainName {
    /// Labels of the second level under which countries let anybody register names.
    private static let secondLevel: Set<String> = ["ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"]

    /// Whether it is a public suffix, as far as its form shows: a single label, or one like co.uk.
    fileprivate var isForEverybody: Bool {
        guard labelCount == 2 else { return labelCount < 2 }
        let labels = description.split(separator: ".")
        return labels.last?.utf8.count == 2 && labels.first.map { Self.secondLevel.contains(String($0)) } == true
    }
}
