/// Whether something holds, when it may not be known yet.
public enum Truth: Sendable {
    /// It does not hold.
    case no
    /// It cannot be said: not yet, or not at all.
    case unknown
    /// It cannot be said, because the DNS gave no answer.
    case unanswered
    /// It holds.
    case yes

    /// `yes` for true.
    public init(_ value: Bool) {
        self = value ? .yes : .no
    }

    /// `no` when either is, `yes` when both are; else what is unknown for another reason counts before what is unanswered.
    public static func && (left: Truth, right: @autoclosure () -> Truth) -> Truth {
        switch left {
        case .no: return .no
        case .yes: return right()
        case .unknown: return right() == .no ? .no : .unknown
        case .unanswered:
            let right = right()
            return right == .yes ? .unanswered : right
        }
    }

    /// `yes` when either is, `no` when both are.
    public static func || (left: Truth, right: @autoclosure () -> Truth) -> Truth {
        !(!left && !right())
    }

    /// `no` for `yes` and the other way round.
    public static prefix func ! (value: Truth) -> Truth {
        switch value {
        case .no: .yes
        case .unknown: .unknown
        case .unanswered: .unanswered
        case .yes: .no
        }
    }
}
