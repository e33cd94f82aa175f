internal import MailSyntax
internal import Policy

/// Recipients of messages that were put off, each with what the rules said of it then.
struct PutOffRecipients: Sendable {
    /// Recipients of whom the same rule decided.
    typealias Group = Int

    /// How many recipients of one sender are remembered.
    static let most = 1_000

    private var groups: [Int: Group] = [:]

    /// How many there are.
    var count: Int { groups.count }

    /// What the rules said of a recipient; nil when it is not remembered.
    func group(of mailbox: [UInt8]) -> Group? { groups[Self.hash(mailbox)] }

    /// Adds the recipients of a message, whose places the mixture names; false, with nothing added, when they are too many.
    mutating func add(_ mailboxes: [[UInt8]], _ mixture: Mixture) -> Bool {
        guard groups.count + mailboxes.count <= Self.most else { return false }
        for outcome in mixture.outcomes {
            var hasher = Hasher()
            hasher.combine(outcome.action)
            hasher.combine(outcome.rule?.name)
            let group = hasher.finalize()
            for place in outcome.recipients where mailboxes.indices.contains(place) {
                groups[Self.hash(mailboxes[place])] = group
            }
        }
        return true
    }

    /// Forgets recipients.
    mutating func remove(_ mailboxes: [[UInt8]]) {
        for mailbox in mailboxes { groups[Self.hash(mailbox)] = nil }
    }

    /// Keyed by the process: a sender can choose no two recipients that are taken for one another.
    private static func hash(_ mailbox: [UInt8]) -> Int {
        var hasher = Hasher()
        for octet in mailbox { hasher.combine(octet.lowercased) }
        return hasher.finalize()
    }
}
