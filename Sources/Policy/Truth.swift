/// Whether a statement holds; the answer may not be known yet.
public enum Truth: Sendable {
    /// The statement does not hold.
    case no
    /// The answer is unknown: not known yet, or never.
    case unknown
    /// The answer is unknown, because the DNS gave no answer.
    case unanswered
    /// The statement holds.
    case yes

    /// `yes` for true.
    public init(_ value: Bool) {
        self = value ? .yes : .no
    }

    /// `no` if either is `no`, `yes` if both are `yes`; otherwise `unknown` takes precedence over `unanswered`.
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

    /// `yes` if either is `yes`, `no` if both are `no`.
    public static func || (left: Truth, right: @autoclosure () -> Truth) -> Truth {
        !(!left && !right())
    }

    /// `no` for `yes`, and `yes` for `no`.
    public static prefix func ! (value: Truth) -> Truth {
        switch value {
        case .no: .yes
        case .unknown: .unknown
        case .unanswered: .unanswered
        case .yes: .no
        }
    }
}
