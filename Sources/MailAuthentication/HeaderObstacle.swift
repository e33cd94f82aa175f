/// Why the results and the rules do not apply to a message: its header asks for too much.
public enum HeaderObstacle: String, Sendable {
    /// The header is larger than the filter reads.
    case tooLarge = "header section beyond limits.max_header"
    /// The header has more forged fields than any sender needs that does not want to keep the MTA busy.
    case tooManyForged = "too many forged header fields"

    /// The most forged fields that a message may have if the rules are enforced.
    public static let maximumForgedFields = 100
}

extension HeaderReview {
    /// The obstacle and its consequence for the message, in words.
    var line: String? { obstacle.map { "\($0.rawValue): \(consequence(of: $0))" } }

    private func consequence(of obstacle: HeaderObstacle) -> String {
        if isFlagged { return "junk in enforce mode, because a relay of our own passed it on" }
        return switch obstacle {
        case .tooLarge: "refused in enforce mode (552 5.3.4), accepted unstamped in observe mode"
        case .tooManyForged: "refused in enforce mode (552 5.3.4)"
        }
    }
}
