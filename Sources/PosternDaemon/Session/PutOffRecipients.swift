internal import MailSyntax
internal import Policy

/// Recipients of deferred messages, each with the rules' decision at that time.
struct PutOffRecipients: Sendable {
    /// Recipients about whom the same rule decided.
    typealias Group = Int

    /// The most recipients of one sender that are remembered.
    static let most = 1_000

    private var groups: [Int: Group] = [:]

    /// The number of recipients.
    var count: Int { groups.count }

    /// The group of a recipient; nil when the recipient is not remembered.
    func group(of mailbox: [UInt8]) -> Group? { groups[Self.hash(mailbox)] }

    /// Adds a message's recipients by their indices in the mixture; adds none and returns false when there are too
    /// many.
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

    /// Keyed by the process, so that a sender cannot choose two recipients with the same hash.
    private static func hash(_ mailbox: [UInt8]) -> Int {
        var hasher = Hasher()
        for octet in mailbox { hasher.combine(octet.lowercased) }
        return hasher.finalize()
    }
}
