public import Policy

/// How often each action was taken.
public struct ActionCounts: Encodable, Equatable, Sendable {
    /// Mail for which a rule, or no rule at all, ends the evaluation, and that is delivered.
    public var accept = 0
    /// Mail that was named in the log.
    public var mark = 0
    /// Mail that was flagged.
    public var junk = 0
    /// Mail that was held.
    public var quarantine = 0
    /// Mail that was dropped.
    public var discard = 0
    /// Mail that was refused for good.
    public var reject = 0
    /// Mail that was refused for now.
    public var tempfail = 0

    /// The count for an action.
    public subscript(action: RuleAction) -> Int {
        get {
            switch action {
            case .accept: accept
            case .mark: mark
            case .junk: junk
            case .quarantine: quarantine
            case .discard: discard
            case .reject: reject
            case .tempfail: tempfail
            }
        }
        set {
            switch action {
            case .accept: accept = newValue
            case .mark: mark = newValue
            case .junk: junk = newValue
            case .quarantine: quarantine = newValue
            case .discard: discard = newValue
            case .reject: reject = newValue
            case .tempfail: tempfail = newValue
            }
        }
    }

    /// Mail that does not reach its recipients, at least not at once.
    public var withheld: Int { reject + tempfail + quarantine + discard }
}
