internal import Policy

extension Truth {
    /// The answer as events write it; nil when it is not known.
    var eventWord: String? {
        switch self {
        case .yes: "yes"
        case .no: "no"
        case .unanswered: "unanswered"
        case .unknown: nil
        }
    }

    /// The answer of a member of an event; not known where the member is null.
    init(_ word: String?, _ member: String) throws(UnreadableFact) {
        switch word {
        case "yes"?: self = .yes
        case "no"?: self = .no
        case "unanswered"?: self = .unanswered
        case nil: self = .unknown
        default: throw UnreadableFact(member: member)
        }
    }
}
