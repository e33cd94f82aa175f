internal import Policy

/// What a word means that is no setting, for `postern config help`: it points on to the settings.
enum WordHelp {
    /// Words of the manuals, and what is to be written for them.
    private static let ideas: [String: (meaning: String, help: String)] = [
        "trial": ("a rule is on trial with observe = true in its [[rules]] table", "observe"),
        "on trial": ("a rule is on trial with observe = true in its [[rules]] table", "observe"),
        "enrolled": (
            "a list of your own, one domain a line, for from_domains = { file = \"/etc/postern/enrolled\" } in a rule",
            "from_domains"
        ),
        "file": ("{ file = \"/path\" } in a condition on domains, networks or addresses is a list, one a line", "when"),
        "exemption": ("what exempts from a rule stands in its unless", "unless"),
        "condition": ("the conditions of a rule stand in its when and unless", "when"),
        "excused": (
            "a trusted forwarder, or a list that is vouched for, has kept a rule on DMARC from matching",
            "trusted_forwarders"
        ),
        "placeholder": ("words in braces that are filled in where a rule refuses", "reply"),
    ]

    /// What the word means, on a line; nil when it is not known.
    static func text(_ word: String, _ settings: [(path: String, type: String)]) -> String? {
        let word = word.lowercased()
        if let idea = ideas[word] { return line(word, idea.meaning, idea.help) }
        if let condition = ConditionDescription.meant(by: word) {
            return line(word, "the condition \(condition.rawValue) is meant", condition.rawValue)
        }
        let quoted = TOMLText.quoted(word)
        let takers = settings.filter { $0.type.split(separator: " ").contains { $0 == quoted } }.map(\.path)
        let places =
            takers.filter { $0.hasPrefix("rules.") }
            + ConditionName.allCases.filter { $0.known.contains(word) }.map(\.rawValue)
            + takers.filter { !$0.hasPrefix("rules.") }
        guard let first = places.first else { return nil }
        return line(word, "a value of \(places.joined(separator: ", "))", first)
    }

    private static func line(_ word: String, _ meaning: String, _ help: String) -> String {
        "\(word): \(meaning) (type: postern config help \(help))\n"
    }
}
