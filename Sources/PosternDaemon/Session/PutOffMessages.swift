internal import DequeModule
internal import MailSyntax
internal import Policy
internal import Synchronization

/// What is remembered of messages that were put off because the rules differ between their recipients.
///
/// A message that comes again comes from the same network, because large senders have many hosts, with the same MAIL FROM.
/// Shared by all sessions.
final class PutOffMessages: Sendable {
    /// Who sent a message.
    struct Origin: Hashable, Sendable {
        private let network: UInt64?
        private let isIPv6: Bool
        private let sender: [UInt8]

        /// A client and its MAIL FROM: an IPv4 client stands for its /24, an IPv6 client for its /64.
        init(_ client: IPAddress?, sender: [UInt8]) {
            switch client?.unmapped {
            case .v4(let address)?: (network, isIPv6) = (UInt64(address.value >> 8), false)
            case .v6(let address)?: (network, isIPv6) = (address.high, true)
            case nil: (network, isIPv6) = (nil, false)
            }
            self.sender = sender.map(\.lowercased)
        }

        fileprivate var octetCount: Int { sender.count }
    }

    fileprivate struct Entry {
        var recipients: PutOffRecipients
        /// The last time that a message of the sender was put off, and which time of all that was.
        var time: UnixTime
        var turn: Int
        var cost: Int
    }

    fileprivate struct State {
        var entries: [Origin: Entry] = [:]
        /// The entries from the oldest; one that was renewed since stands further behind as well.
        var order: Deque<(origin: Origin, turn: Int)> = []
        var turns = 0
        var cost = 0
    }

    /// For how many seconds a message is remembered: MTAs try again within minutes, later within an hour or two.
    static let lifetime: Int64 = 4 * 3600
    /// How many senders are remembered.
    static let mostOrigins = 10_000
    /// How many octets they may take, about.
    static let mostOctets = 4 << 20

    private let state = Mutex(State())

    /// Nothing remembered.
    init() {}

    /// How many senders are remembered.
    var count: Int { state.withLock { $0.entries.count } }

    /// The recipients of a sender's messages that were put off; nil when there are none.
    func recipients(of origin: Origin, now: UnixTime) -> PutOffRecipients? {
        state.withLock { state in
            guard let entry = state.entries[origin], now < entry.time + Self.lifetime else { return nil }
            return entry.recipients
        }
    }

    /// Remembers a message that is put off; false when there is no room for its recipients.
    func remember(_ origin: Origin, _ mailboxes: [[UInt8]], _ mixture: Mixture, now: UnixTime) -> Bool {
        state.withLock { state in
            state.expire(now)
            var recipients = state.entries[origin]?.recipients ?? PutOffRecipients()
            guard recipients.add(mailboxes, mixture) else { return false }
            state.turns += 1
            state.replace(origin, recipients, now)
            state.order.append((origin, state.turns))
            state.shrink()
            return true
        }
    }

    /// Forgets recipients of a sender that have been dealt with.
    func forget(_ origin: Origin, _ mailboxes: [[UInt8]]) {
        state.withLock { state in
            guard var recipients = state.entries[origin]?.recipients else { return }
            recipients.remove(mailboxes)
            if recipients.count == 0 { state.remove(origin) } else { state.replace(origin, recipients, nil) }
        }
    }
}

extension PutOffMessages.State {
    /// Puts recipients in the place of a sender's; `now` renews the entry.
    fileprivate mutating func replace(
        _ origin: PutOffMessages.Origin,
        _ recipients: PutOffRecipients,
        _ now: UnixTime?
    ) {
        let old = entries[origin]
        let new = PutOffMessages.Entry(
            recipients: recipients,
            time: now ?? old?.time ?? 0,
            turn: now == nil ? old?.turn ?? 0 : turns,
            // A dictionary's place takes two words and stands empty half of the time.
            cost: 256 + 2 * origin.octetCount + 32 * recipients.count
        )
        cost += new.cost - (old?.cost ?? 0)
        entries[origin] = new
    }

    fileprivate mutating func remove(_ origin: PutOffMessages.Origin) {
        cost -= entries.removeValue(forKey: origin)?.cost ?? 0
    }

    /// Removes the oldest entry, unless it was renewed since.
    private mutating func removeFirst() {
        guard let (origin, turn) = order.popFirst(), entries[origin]?.turn == turn else { return }
        remove(origin)
    }

    /// Removes what is over.
    fileprivate mutating func expire(_ now: UnixTime) {
        while let first = order.first {
            if let entry = entries[first.origin], entry.turn == first.turn, now < entry.time + PutOffMessages.lifetime {
                return
            }
            removeFirst()
        }
    }

    /// Makes room: the oldest go.
    fileprivate mutating func shrink() {
        while entries.count > PutOffMessages.mostOrigins || cost > PutOffMessages.mostOctets
            || order.count > 2 * PutOffMessages.mostOrigins, !order.isEmpty
        {
            removeFirst()
        }
    }
}
