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
            if case .networks(let choice)? = forwarder.clients?.values, let shortest = choice.wanted?.shortestPrefix,
                shortest < 8
            {
                let message = "a network of /\(shortest) trusts a large part of the internet"
                found.append(problem(path + ".clients", message, accepted: "hosts of the forwarder", isWarning: true))
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
}
