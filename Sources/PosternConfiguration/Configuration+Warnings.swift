internal import MailSyntax
internal import Policy

extension Configuration {
    /// The allowed settings that may be mistakes, in the order of the file.
    public var warnings: [ConfigurationProblem] {
        let ofRules = rules.rules.enumerated().flatMap { index, rule in
            RuleWarnings(self, rule, earlier: rules.rules.prefix(index), path: "rules[\(index + 1)]").found
        }
        return general + forwarderWarnings + sealingWarnings + reportWarnings + ofRules + examples
    }

    /// What was left of an example; a zone file may answer for it.
    private var examples: [ConfigurationProblem] { dns.zone == nil ? documentationValues.map(\.problem) : [] }

    /// A summary of the configuration, on one line.
    public var summary: String {
        let refusing = rules.rules.filter { $0.action.isRefusal && !$0.observe }.count
        let onTrial = rules.rules.filter(\.observe).count
        let checked = Check.allCases.filter { $0 == $0.setting && isMade($0) }.map(\.rawValue)
        return "valid: mode \(mode.rawValue), \(Counted.words(listen.count, "socket")), "
            + "\(Counted.words(rules.rules.count, "rule")) "
            + "(\(refusing) refusing\(onTrial > 0 ? ", \(onTrial) on trial" : "")), "
            + "\(Counted.words(signing.flatMap(\.allDomains).count, "signing domain")), "
            + (sealing.signing == nil ? "" : "sealing as \(sealing.domain), ")
            + "checks: \(checked.joined(separator: " "))"
    }

    /// A problem with a setting, at the line of the setting or of the table around it.
    package func problem(
        _ key: String,
        _ message: String,
        accepted: String = "",
        command: String = "",
        isWarning: Bool = false
    ) -> ConfigurationProblem {
        var place = places[key]
        var path = key[...]
        while place == nil, let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) {
            path = path[..<end]
            place = places[String(path)]
        }
        return ConfigurationProblem(
            file: file,
            line: place?.line ?? 0,
            column: 0,
            key: key,
            message: message,
            accepted: accepted,
            command: command,
            isWarning: isWarning
        )
    }

    /// Warnings that do not concern rules.
    private var general: [ConfigurationProblem] {
        var found = [ConfigurationProblem]()
        func warn(_ key: String, _ message: String, accepted: String) {
            found.append(problem(key, message, accepted: accepted, isWarning: true))
        }
        for network in trust.networks where network.isLarge {
            warn("trust.networks", "\(network) trusts a large part of the internet", accepted: "networks of your own")
        }
        for network in trust.skip where network.isLarge {
            let message = "\(network) lets a large part of the internet pass unjudged"
            warn("trust.skip", message, accepted: "hosts of your own")
        }
        for (key, message, accepted) in relayWarnings { warn(key, message, accepted: accepted) }
        if let address = admin.listen?.address, !Self.isLoopback(address) {
            warn("admin.listen", "\(address) can be reached from other hosts", accepted: "127.0.0.1 or [::1]")
        }
        for (index, listen) in listen.enumerated() {
            if listen.mode & 0o002 != 0 {
                warn(
                    "listen[\(index + 1)].mode",
                    "every user of this host may connect to the socket",
                    accepted: "mode = \"0660\" and a group"
                )
            }
            if listen.role == .outbound, signing.isEmpty {
                warn(
                    "listen[\(index + 1)].role",
                    "nothing that comes here is signed, for there is no [[signing]] table",
                    accepted: "a [[signing]] table, by: postern keygen"
                )
            }
        }
        if let missing = distrustedLoopback {
            warn(
                "trust.networks",
                "mail of this host itself is judged like that of strangers: \(missing) is not among them",
                accepted: "\(missing) beside the others"
            )
        }
        if checks.dmarc.enabled, !checks.spf.enabled, !checks.dkim.enabled {
            warn(
                "checks.dmarc",
                "DMARC cannot pass while SPF and DKIM are both off",
                accepted: "one of them, or no DMARC"
            )
        }
        return found
    }

    /// The networks of this host itself whose mail is judged; nil when there is none, or when trust does not matter.
    private var distrustedLoopback: String? {
        guard listen.contains(where: { $0.role == .auto }) else { return nil }
        let missing = Trust().networks.filter { own in
            !(trust.networks + trust.skip).contains { $0.contains(own) }
        }
        return missing.isEmpty ? nil : missing.map { "\($0)" }.joined(separator: " and ")
    }

    private static func isLoopback(_ address: IPAddress) -> Bool {
        [IPNetwork("127.0.0.0/8"), IPNetwork("::1")].contains { $0?.contains(address) == true }
    }

    /// Whether all checks behind a condition are enabled.
    func isChecked(_ name: ConditionName) -> Bool { name.checks.allSatisfy(isMade) }
}

/// Finds possible mistakes in one rule.
private struct RuleWarnings {
    var found: [ConfigurationProblem] = []
    private let rule: Rule
    private let path: String

    init(_ configuration: Configuration, _ rule: Rule, earlier: ArraySlice<Rule>, path: String) {
        self.rule = rule
        self.path = path
        lookForDisabledChecks(configuration)
        lookForImpossibleConditions(configuration)
        lookForShadows(earlier)
        if rule.action.isRefusal {
            lookForHarshRefusals()
            lookForMissingRecords()
        }
        for evasion in rule.evasions {
            let key = "\(path).\(evasion.part).\(evasion.condition.name.rawValue)"
            warn(evasion.condition.location, key, evasion.message, accepted: evasion.accepted)
        }
    }

    private mutating func warn(_ location: PolicyLocation, _ key: String, _ message: String, accepted: String = "") {
        found.append(
            ConfigurationProblem(
                file: location.file,
                line: location.line,
                column: 0,
                key: key,
                message: "\"\(rule.name)\" " + message,
                accepted: accepted,
                isWarning: true
            )
        )
    }

    private mutating func lookForDisabledChecks(_ configuration: Configuration) {
        let parts = [("when", rule.when)] + rule.unless.map { ("unless", $0) }
        for (part, condition) in parts.flatMap({ part, conditions in conditions.map { (part, $0) } })
        where !configuration.isChecked(condition.name) {
            warn(
                condition.location,
                "\(path).\(part).\(condition.name.rawValue)",
                "never acts: the check behind \(condition.name.rawValue) is switched off, so the condition is never known",
                accepted: "the check switched on in [checks], or a rule without the condition"
            )
        }
    }

    private mutating func lookForImpossibleConditions(_ configuration: Configuration) {
        for condition in rule.when where condition.isImpossible {
            let message = "can never match: nothing is left of \(condition.text)"
            warn(condition.location, path + ".when." + condition.name.rawValue, message)
        }
        if let exemption = rule.unless.first(where: { exemption in
            exemption.allSatisfy { condition in rule.when.contains { condition.includes($0) } }
        }) {
            let what =
                exemption.isEmpty
                ? "an empty exemption holds for everything" : "the exemption holds whenever the rule does"
            warn(rule.location, path + ".unless", "can never match: " + what)
        }
        if configuration.trust.authenticated, !configuration.listen.contains(where: { $0.role == .inbound }),
            rule.when.contains(where: { $0.name == .fact(.authenticated) && $0.isTrue })
        {
            warn(
                rule.location,
                path + ".when.authenticated",
                "can never match: who has authenticated is trusted and not judged",
                accepted: "authenticated = false in [trust], or a rule without the condition"
            )
        }
        for (one, other) in Self.exclusive {
            guard let first = rule.when.first(where: { $0.isOnly(one.0, one.1) }),
                rule.when.contains(where: { $0.isOnly(other.0, other.1) })
            else { continue }
            warn(
                first.location,
                path + ".when",
                "can never match: \(one.0.rawValue) is never \"\(one.1.rawValue)\" where "
                    + "\(other.0.rawValue) is \"\(other.1.rawValue)\""
            )
        }
    }

    /// Results that never occur together.
    private static let exclusive: [((ConditionName, ResultWord), (ConditionName, ResultWord))] = [
        ((.result(.dkim), .none), (.fact(.dkimAligned), .pass)),
        ((.result(.dkim), .fail), (.fact(.dkimAligned), .pass)),
        ((.result(.dmarc), .fail), (.fact(.dkimAligned), .pass)),
    ]

    private mutating func lookForShadows(_ earlier: ArraySlice<Rule>) {
        guard
            let shadow = earlier.first(where: { other in
                other.action != .mark && !other.observe && other.unless.isEmpty
                    && other.when.allSatisfy { condition in rule.when.contains { condition.includes($0) } }
            })
        else { return }
        warn(
            rule.location,
            path,
            "is never reached: \(shadow.name) (line \(shadow.location.line)) matches whatever it would match",
            accepted: "this rule above \(shadow.name), or none"
        )
    }

    private mutating func lookForHarshRefusals() {
        let names = Set(rule.when.map(\.name))
        let results = Set(rule.when.filter(\.isOfResult).map(\.name))
        let isForAll = !names.contains(where: \.takesLists)
        if isForAll, !results.isEmpty, results.isSubset(of: [.result(.dkim), .fact(.dkimAligned)]) {
            warn(
                rule.location,
                path + ".when.dkim",
                "\(refuses) on DKIM alone: RFC 6376 section 6.3 advises against it, for lists and gateways break signatures",
                accepted: "dmarc = \"fail\" in its place, or from_domains beside it"
            )
        }
        if isForAll, results == [.result(.senderID)] {
            warn(
                rule.location,
                path + ".when.sender_id",
                "\(refuses) on Sender ID for everyone: most domains publish for SPF only, and honest mail will fail",
                accepted: "sender_domains or recipient_domains beside it, or the action \"junk\""
            )
        }
        if rule.when.isEmpty {
            warn(
                rule.location,
                path + ".when",
                "\(refuses) every message that reaches it",
                accepted: "at least one condition"
            )
        }
        guard rule.action == .reject else { return }
        for condition in rule.when where condition.namesNoAnswer && condition.holds(for: .temperror) {
            warn(
                condition.location,
                path + ".when." + condition.name.rawValue,
                "\(refuses) for good when the DNS does not answer: \(condition.text) names \"temperror\"",
                accepted: "the word left out, so that the mail is deferred then, or the action \"tempfail\""
            )
        }
    }
}

extension RuleWarnings {
    /// A rule on trial refuses nobody yet.
    private var refuses: String { rule.observe ? "would refuse" : "refuses" }

    /// Looks for a rule that refuses every result except pass: it refuses every domain that publishes nothing.
    private mutating func lookForMissingRecords() {
        let named: Set<ConditionName> = [
            .fact(.senderDomains), .fact(.fromDomains), .fact(.clients), .fact(.clientNames), .fact(.dkimDomains),
            .fact(.arcSealers), .fact(.permittedBy),
        ]
        guard named.isDisjoint(with: rule.when.map(\.name)) else { return }
        let results = rule.when.filter(\.isOfResult)
        guard let first = results.first(where: \.isNegation), results.allSatisfy({ $0.holds(for: .none) }) else {
            return
        }
        let place = path + ".when." + first.name.rawValue
        // RFC 8601 section 2.7.3: permerror where the address has no name.
        guard results.map(\.name) != [.result(.iprev)] else {
            let message = "\(refuses) every client whose address has no name: iprev is \"permerror\" then"
            return warn(first.location, place, message, accepted: "a condition beside it, or the action \"junk\"")
        }
        warn(
            first.location,
            place,
            "\(refuses) every domain without a record: \(first.text) holds for \"none\" too",
            accepted: "\(first.name.rawValue) = \"fail\", or \"!none\" in the list"
        )
    }
}

extension Condition {
    /// Whether the condition asks for the result of a check.
    fileprivate var isOfResult: Bool { name.kind == .result || name.kind == .policy }

    /// Whether the condition lists only results that must not match.
    fileprivate var isNegation: Bool {
        guard case .words(let choice) = values else { return false }
        return choice.wanted == nil
    }

    /// Whether the condition asks for this result and no other.
    fileprivate func isOnly(_ name: ConditionName, _ word: ResultWord) -> Bool {
        self.name == name && ResultWord.allCases.allSatisfy { holds(for: $0) == ($0 == word) }
    }
}
