/// Why a message is not taken for what its checks and the rules say: its header asks for too much.
public enum HeaderObstacle: String, Sendable {
    /// It is larger than is read.
    case tooLarge = "header section beyond limits.max_header"
    /// It has more forged fields than anybody who does not want to keep the MTA busy.
    case tooManyForged = "too many forged header fields"

    /// How many forged fields a message may have where the rules act.
    public static let maximumForgedFields = 100
}

extension HeaderObstacle {
    /// What becomes of the message, for people.
    var consequence: String {
        switch self {
        case .tooLarge: "refused in enforce mode (552 5.3.4), accepted unstamped in observe mode"
        case .tooManyForged: "refused in enforce mode (552 5.3.4)"
        }
    }
}
