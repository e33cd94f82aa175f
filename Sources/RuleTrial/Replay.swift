internal import MailSyntax
internal import Policy

/// One stored message, judged again: the verdict, and each rule with its conditions.
public struct Replay: Encodable, Sendable {
    /// A recipient that is refused before DATA.
    public struct Refusal: Encodable, Sendable {
        /// The recipient.
        public let recipient: String
        /// The action.
        public let action: String
        /// The name of the rule.
        public let rule: String?
    }

    /// Why the message cannot be judged again; nil where it was.
    public let untried: String?
    /// `observe` or `enforce`.
    public let mode: String
    /// The action.
    public private(set) var action: String?
    /// `rcpt` or `eom`.
    public private(set) var stage: String?
    /// The name of the rule.
    public private(set) var rule: String?
    /// The reply.
    public private(set) var reply: String?
    /// What enforce mode would do, in observe mode.
    public private(set) var would: String?
    /// The recipients that are refused before DATA.
    public private(set) var refused = [Refusal]()
    /// The rules in their order, for each kind of recipient; conditions are those at the end of the message.
    public private(set) var rules = [[String]]()

    /// Judges a message again.
    public init(_ trial: Trial, _ message: StoredFacts) {
        mode = trial.engine.mode.rawValue
        do throws(Untried) {
            let verdict = try trial.verdict(message)
            untried = nil
            take(verdict, message)
        } catch {
            untried = error.rawValue
            return
        }
        rules = trial.explain(message).map { $0.rules.map(\.description) }
    }

    private mutating func take(_ trial: TrialVerdict, _ message: StoredFacts) {
        let verdict = trial.verdict
        action = verdict.action.rawValue
        stage = verdict.stage.rawValue
        rule = verdict.rule?.name
        reply = verdict.reply?.description
        would = verdict.would.map { "\($0.action.rawValue) by rule \"\($0.rule.name)\", stage \($0.stage.rawValue)" }
        refused = trial.refusals.map { refusal in
            Refusal(
                recipient: FieldText.printable(Octets(message.recipients[refusal.recipient].text), limit: 320)[...]
                    .text,
                action: refusal.verdict.action.rawValue,
                rule: refusal.verdict.rule?.name
            )
        }
    }
}

extension Replay {
    /// The most recipients that are named.
    private static let mostNamed = 20

    /// The replay for people, in the form of `postern why`.
    public var text: String {
        if let untried { return "replay       not possible: \(untried)\n" }
        var lines = ["replay       \(verdict)"]
        if let reply { lines.append("  reply      \(reply)") }
        for refusal in refused.prefix(Self.mostNamed) {
            let rule = refusal.rule.map { " by rule \"\($0)\"" } ?? ""
            lines.append("  refused    \(refusal.recipient): \(refusal.action)\(rule)")
        }
        if refused.count > Self.mostNamed { lines.append("  refused    and \(refused.count - Self.mostNamed) others") }
        for (place, rules) in rules.enumerated() {
            lines.append(self.rules.count == 1 ? "rules" : "rules for recipients of kind \(place + 1)")
            lines += rules.flatMap { $0.split(separator: "\n") }.map { "  " + $0 }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var verdict: String {
        if let would { return "accept (observe mode; enforced: \(would))" }
        let action = action ?? "accept"
        return rule.map { "\(action) by rule \"\($0)\", stage \(stage ?? "eom")" } ?? "\(action), no rule decides"
    }
}
