extension RuleTrace: CustomStringConvertible {
    /// The rule for people: a line with its place and outcome, and a line for each condition.
    public var description: String {
        let trial = isOnTrial ? ", on trial" : ""
        let reason = excuse.map { " by \($0)" } ?? ""
        let head = "\(rule.name), \(rule.location): \(action.rawValue)\(trial): \(outcome.text)\(reason)"
        guard outcome != .notReached else { return head }
        return ([head] + conditions.map { "    " + $0.text }).joined(separator: "\n")
    }
}

extension RuleTrace.Outcome {
    /// The outcome in words.
    fileprivate var text: String {
        switch self {
        case .decided: "MATCHES AND DECIDES"
        case .noted: "matches; evaluation goes on"
        case .exempted: "does not match: exempted"
        case .excused: "does not match: excused"
        case .exemptionUnknown: "does not match: it is not known whether it is exempted"
        case .no: "does not match"
        case .unknown: "does not match: something is not known"
        case .unanswered: "NOT DECIDED: a check got no answer"
        case .notReached: "not reached"
        }
    }
}

extension RuleTrace.ConditionTrace {
    /// The condition, the fact, whether the condition holds, and its line.
    fileprivate var text: String {
        let sign =
            switch holds {
            case .yes: "yes"
            case .no: "no "
            case .unknown, .unanswered: "?  "
            }
        let condition = (exemption == nil ? "" : "unless ") + "\(name.rawValue) = \(wanted)"
        return "\(sign) line \(location.line): \(condition); it is "
            + (actual ?? "not known") + (holds == .unanswered ? ", without an answer of the DNS" : "")
    }
}
