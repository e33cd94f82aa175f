internal import Policy
internal import PosternConfiguration

/// A rule in force, and what has come of it since the daemon began.
struct RuleStatus: Encodable, Sendable {
    /// The rule's name.
    let name: String
    /// What it does.
    let action: String
    /// Whether it is only on trial.
    let onTrial: Bool
    /// How many messages it had a say in, by what became of it, as `postern_rule_matches_total` names it.
    let matches: [String: Int]

    /// The rules in force; a rule keeps its numbers over a reload, by its name.
    static func all(_ rules: [Rule], _ values: Counters.Values) -> [RuleStatus] {
        var matches: [String: [String: Int]] = [:]
        for (key, count) in values.rules { matches[key.rule, default: [:]][key.outcome] = count }
        return rules.map { rule in
            RuleStatus(
                name: rule.name,
                action: rule.action.rawValue,
                onTrial: rule.observe,
                matches: matches[rule.name] ?? [:]
            )
        }
    }

    /// The rule for people, without its name.
    var words: String {
        let counts = matches.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return "\(action)\(onTrial ? ", on trial" : ""): "
            + (counts.isEmpty ? "no match yet" : counts.joined(separator: ", "))
    }
}

/// A socket of the configuration, and how mail that comes there is treated.
struct ListenerStatus: Encodable, Sendable {
    /// The address in the notation of the configuration.
    let socket: String
    /// How its mail is treated.
    let role: String

    init(_ listen: Configuration.Listen) {
        socket = listen.socket.description
        role = listen.role.rawValue
    }
}
