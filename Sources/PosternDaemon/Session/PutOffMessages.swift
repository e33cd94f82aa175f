internal import DequeModule
internal import MailSyntax
internal import Policy
internal import Synchronization

/// Remembers messages that were deferred because the rules differ between their recipients.
///
/// A deferred message comes again with the same MAIL FROM, from the same network; not always from the same host,
/// because large senders have many hosts. All sessions share this memory.
final class PutOffMessages: Sendable {
    /// The sender of a message.
    struct Origin: Hashable, Sendable {
        private let network: UInt64?
        private let isIPv6: Bool
        private let sender: [UInt8]

        /// A client's network and its MAIL FROM: the network is the /24 of an IPv4 client, or the /64 of an IPv6
        /// client.
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
        /// The time of the sender's last deferral, and the number of that deferral among all.
        var time: UnixTime
        var turn: Int
        var cost: Int
    }

    fileprivate struct State {
        var entries: [Origin: Entry] = [:]
        /// The entries, the oldest first; a renewed entry also has a later position.
        var order: Deque<(origin: Origin, turn: Int)> = []
        var turns = 0
        var cost = 0
    }

    /// How many seconds a message is remembered: MTAs try again within minutes, later within an hour or two.
    static let lifetime: Int64 = 4 * 3600
    /// The most senders that are remembered.
    static let mostOrigins = 10_000
    /// The approximate limit for their memory, in octets.
    static let mostOctets = 4 << 20

    private let state = Mutex(State())

    /// An empty memory.
    init() {}

    /// How many senders are remembered.
    var count: Int { state.withLock { $0.entries.count } }

    /// The recipients of a sender's deferred messages; nil when there are none.
    func recipients(of origin: Origin, now: UnixTime) -> PutOffRecipients? {
        state.withLock { state in
            guard let entry = state.entries[origin], now < entry.time + Self.lifetime else { return nil }
            return entry.recipients
        }
    }

    /// Remembers a deferred message; false when there is no room for its recipients.
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

    /// Forgets recipients of a sender whose messages have been handled.
    func forget(_ origin: Origin, _ mailboxes: [[UInt8]]) {
        state.withLock { state in
            guard var recipients = state.entries[origin]?.recipients else { return }
            recipients.remove(mailboxes)
            if recipients.count == 0 { state.remove(origin) } else { state.replace(origin, recipients, nil) }
        }
    }
}

extension PutOffMessages.State {
    /// Replaces the recipients of a sender; `now` renews the entry.
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
            // An element of a dictionary takes two words, and half of the elements are empty.
            cost: 256 + 2 * origin.octetCount + 32 * recipients.count
        )
        cost += new.cost - (old?.cost ?? 0)
        entries[origin] = new
    }

    fileprivate mutating func remove(_ origin: PutOffMessages.Origin) {
        cost -= entries.removeValue(forKey: origin)?.cost ?? 0
    }

    /// Removes the oldest entry, unless it was renewed since then.
    private mutating func removeFirst() {
        guard let (origin, turn) = order.popFirst(), entries[origin]?.turn == turn else { return }
        remove(origin)
    }

    /// Removes expired entries.
    fileprivate mutating func expire(_ now: UnixTime) {
        while let first = order.first {
            if let entry = entries[first.origin], entry.turn == first.turn, now < entry.time + PutOffMessages.lifetime {
                return
            }
            removeFirst()
        }
    }

    /// Makes room by removing the oldest entries.
    fileprivate mutating func shrink() {
        while entries.count > PutOffMessages.mostOrigins || cost > PutOffMessages.mostOctets
            || order.count > 2 * PutOffMessages.mostOrigins, !order.isEmpty
        {
            removeFirst()
        }
    }
}
