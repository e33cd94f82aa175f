/// The set of the rules' conditions on recipients that hold for a recipient.
///
/// The rules have the same results for all recipients of one kind, whatever the message is. So each kind is judged
/// once, however many recipients it has.
public struct RecipientKind: Hashable, Sendable {
    private var first: UInt64 = 0
    /// The words after the first; few configurations have more than 64 distinct conditions on recipients.
    private var others: [UInt64] = []

    /// Whether the condition at a place holds.
    func contains(_ place: Int) -> Bool {
        let bit: UInt64 = 1 << (UInt64(place) & 63)
        if place < 64 { return first & bit != 0 }
        let index = place / 64 - 1
        return others.indices.contains(index) && others[index] & bit != 0
    }

    /// Records that the condition at a place holds.
    mutating func insert(_ place: Int) {
        let bit: UInt64 = 1 << (UInt64(place) & 63)
        guard place >= 64 else { return first |= bit }
        let index = place / 64 - 1
        while others.count <= index { others.append(0) }
        others[index] |= bit
    }
}

/// The recipients of a message with their kinds, in the order in which they came.
public struct RecipientKinds: Sendable {
    /// A kind, and its first recipient.
    struct Member: Sendable {
        let kind: RecipientKind
        let first: MailAddress
    }

    /// The distinct kinds.
    private(set) var members: [Member] = []
    /// The number of recipients.
    public private(set) var count = 0
    /// The kind of each recipient; empty while all recipients are of one kind, as in nearly every message.
    private var kinds: [Int] = []
    private var places: [RecipientKind: Int] = [:]

    /// No recipients.
    public init() {}

    /// Adds a recipient.
    public mutating func append(_ recipient: MailAddress, _ kind: RecipientKind) {
        defer { count += 1 }
        guard let only = members.first else { return members.append(Member(kind: kind, first: recipient)) }
        if kinds.isEmpty {
            guard only.kind != kind else { return }
            places[only.kind] = 0
            kinds = [Int](repeating: 0, count: count)
        }
        let place = places[kind] ?? members.count
        if place == members.count {
            members.append(Member(kind: kind, first: recipient))
            places[kind] = place
        }
        kinds.append(place)
    }

    /// For each recipient, the place of its kind among `members`.
    var memberOfEach: [Int] { kinds.isEmpty ? [Int](repeating: 0, count: count) : kinds }
}

extension PolicyEngine {
    /// The kind of a recipient.
    public func kind(of recipient: MailAddress) -> RecipientKind {
        var kind = RecipientKind()
        guard !recipientConditions.isEmpty else { return kind }
        let domain = recipient.domain
        for (place, condition) in recipientConditions.enumerated() where condition.holds(for: recipient, domain) {
            kind.insert(place)
        }
        return kind
    }

    /// Recipients with their kinds.
    public func kinds(of recipients: [MailAddress]) -> RecipientKinds {
        var kinds = RecipientKinds()
        for recipient in recipients { kinds.append(recipient, kind(of: recipient)) }
        return kinds
    }
}
