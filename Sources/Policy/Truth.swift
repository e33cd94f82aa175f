/// Whether something holds, when it may not be known yet.
public enum Truth: Sendable {
    /// It does not hold.
    case no
    /// It cannot be said yet.
    case unknown
    /// It holds.
    case yes

    /// `yes` for true.
    public init(_ value: Bool) {
        self = value ? .yes : .no
    }

    /// `no` when either is, `yes` when both are.
    public static func && (left: Truth, right: @autoclosure () -> Truth) -> Truth {
        switch left {
        case .no: return .no
        case .yes: return right()
        case .unknown: return right() == .no ? .no : .unknown
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
        case .yes: .no
        }
    }
}
