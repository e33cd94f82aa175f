internal import DNSLookup
internal import MailSyntax

/// A part of the cache: a table whose entries are also linked in the order of their last use.
struct CacheShard {
    /// The result of a search in the shard.
    enum Finding {
        /// An answer; with `refresh` the caller should fetch it again.
        case answer(DNSAnswer, refresh: Bool)
        /// An answer beyond its TTL that may be used because servers have just failed.
        case stale(DNSAnswer)
        /// A remembered failure.
        case failure(DNSLookupError)
        /// No usable answer; `stale` is an answer beyond its TTL, to be used if servers fail.
        case nothing(stale: DNSAnswer?)
    }

    typealias Instant = ContinuousClock.Instant

    private struct Slot {
        var key: CacheKey
        var answer: DNSAnswer?
        /// Unused without an answer.
        var expiry: Instant
        var refreshAt: Instant?
        var failure: DNSLookupError?
        var failureEnd: Instant
        var failureCount = 0
        /// The outage of the DNS to which the failure belongs.
        var failureEpoch = 0
        var uses = 0
        var cost = 0
        /// The neighbours in the order of last use.
        var newer = CacheShard.none
        var older = CacheShard.none

        /// The answer while it is valid; the slot is not copied for it.
        mutating func use(at now: Instant) -> Finding? {
            guard now < expiry, let answer else { return nil }
            uses += 1
            guard let refreshAt, now >= refreshAt, uses > CacheShard.demand else {
                return .answer(answer, refresh: false)
            }
            self.refreshAt = nil
            return .answer(answer, refresh: true)
        }
    }

    private static let none = -1
    private static let noKey = CacheKey(.root, nil)
    /// The memory of one entry in the tables.
    private static let overhead = MemoryLayout<Slot>.stride * 3 / 2 + MemoryLayout<CacheKey>.stride * 3
    /// How often an answer must be used before it is worth fetching ahead.
    private static let demand = 2
    /// RFC 8767 § 5: a failure recheck timer, so that failing servers are not asked more often than this.
    private static let staleRecheck = Duration.seconds(30)

    private let options: CacheOptions
    private let maximumEntries: Int
    private let maximumBytes: Int

    private var index: [CacheKey: Int] = [:]
    private var slots: [Slot] = []
    private var free: [Int] = []
    private var newest = none
    private var oldest = none

    /// The questions in flight.
    var flights = Flights()
    private(set) var hits = 0
    private(set) var failures = 0
    private(set) var evictions = 0
    private(set) var bytes = 0
    var entries: Int { index.count }

    init(_ options: CacheOptions, shards: Int) {
        self.options = options
        maximumEntries = max(1, options.maximumEntries / shards)
        maximumBytes = options.maximumBytes / shards
    }

    // MARK: Reading

    /// Looks up a key, and marks it as the most recently used if its entry is usable.
    mutating func find(_ key: CacheKey, at now: Instant, epoch: Int) -> Finding {
        guard let position = index[key] else { return .nothing(stale: nil) }
        if let found = slots[position].use(at: now) {
            hit(position)
            return found
        }
        return findExpired(slots[position], position, at: now, epoch: epoch)
    }

    private mutating func findExpired(_ slot: Slot, _ position: Int, at now: Instant, epoch: Int) -> Finding {
        let stale = usableStale(slot, at: now)
        guard let failure = slot.failure, slot.failureEpoch == epoch else { return .nothing(stale: stale) }
        if let stale, now < slot.failureEnd + Self.staleRecheck {
            hit(position)
            return .stale(stale)
        }
        guard now < slot.failureEnd else { return .nothing(stale: stale) }
        hit(position)
        return .failure(failure)
    }

    private func usableStale(_ slot: Slot, at now: Instant) -> DNSAnswer? {
        guard let limit = options.serveStale, let answer = slot.answer, now < slot.expiry + limit,
            // A key that its owner has revoked must not verify.
            !slot.key.name.holdsKey
        else { return nil }
        return answer
    }

    // MARK: Writing

    /// How long an answer is kept; zero when it is not kept.
    private func lifetime(_ answer: DNSAnswer) -> Duration {
        let received = Duration.seconds(Int64(answer.timeToLive))
        if answer.status != .records {
            // RFC 2308 § 5: a negative answer without an SOA record, whose TTL is zero here, is not cached.
            guard answer.timeToLive > 0 else { return .zero }
            return min(max(received, options.minimumTTL), options.negativeMaximumTTL)
        }
        let clamped = min(max(received, options.minimumTTL), options.maximumTTL)
        return answer.question.name.holdsKey ? min(clamped, options.keyMaximumTTL) : clamped
    }

    /// Stores an answer.
    mutating func store(_ answer: DNSAnswer, for key: CacheKey, at now: Instant) {
        store(answer, for: key, at: now, lifetime: lifetime(answer))
    }

    /// Stores an answer for a given time, or removes the older answer if the new one may not be kept.
    mutating func store(_ answer: DNSAnswer, for key: CacheKey, at now: Instant, lifetime: Duration) {
        let lifetime = min(lifetime, self.lifetime(answer))
        let cost = answer.cost + Self.overhead
        remove(key)
        guard lifetime > .zero, cost <= maximumBytes / 2 else { return }
        var slot = Slot(key: key, answer: answer, expiry: now + lifetime, failureEnd: now)
        if options.refreshAhead > 0 { slot.refreshAt = now + lifetime * (1 - min(options.refreshAhead, 1)) }
        slot.cost = cost
        insert(slot)
    }

    /// Stores a failure, for a longer time with each failure in a row.
    mutating func store(_ failure: DNSLookupError, for key: CacheKey, at now: Instant, epoch: Int) {
        failures += 1
        var slot = index[key].map { slots[$0] } ?? Slot(key: key, expiry: now, failureEnd: now)
        // An answer that was fetched ahead of its expiry is still valid.
        if slot.answer != nil, now < slot.expiry { return }
        if usableStale(slot, at: now) == nil { slot.answer = nil }
        // RFC 9520 § 3.2: failures are cached for a second or more, with a growing time for those that persist.
        let doubled = options.failureTTL * (1 << min(slot.failureCount, 16))
        slot.failure = failure
        slot.failureCount += 1
        slot.failureEpoch = epoch
        slot.failureEnd = now + min(doubled, options.failureMaximumTTL)
        slot.cost = (slot.answer?.cost ?? key.name.wire.count + 32) + Self.overhead
        remove(key)
        insert(slot)
    }

    /// Stores the outcome of a query.
    mutating func store(_ outcome: QueryOutcome, for key: CacheKey, at now: Instant, epoch: Int) {
        switch outcome.result {
        // The denial is stored under the name, for all types.
        case .success where outcome.deniesName: remove(key)
        case .success(let answer): store(answer, for: key, at: now)
        // A local problem does not concern the name.
        case .failure(let error) where error.isLocal: break
        case .failure(let error): store(error, for: key, at: now, epoch: epoch)
        }
    }

    private mutating func insert(_ slot: Slot) {
        let position: Int
        if let reused = free.popLast() {
            slots[reused] = slot
            position = reused
        } else {
            position = slots.count
            slots.append(slot)
        }
        index[slot.key] = position
        bytes += slot.cost
        link(position)
        while bytes > maximumBytes || index.count > maximumEntries, oldest != position {
            remove(slots[oldest].key)
            evictions += 1
        }
    }

    /// Removes an entry.
    mutating func remove(_ key: CacheKey) {
        guard let position = index.removeValue(forKey: key) else { return }
        bytes -= slots[position].cost
        unlink(position)
        slots[position].answer = nil
        slots[position].key = Self.noKey
        free.append(position)
    }

    // MARK: The order of use

    private mutating func hit(_ position: Int) {
        hits += 1
        guard newest != position else { return }
        unlink(position)
        link(position)
    }

    private mutating func link(_ position: Int) {
        slots[position].newer = Self.none
        slots[position].older = newest
        if newest != Self.none { slots[newest].newer = position } else { oldest = position }
        newest = position
    }

    private mutating func unlink(_ position: Int) {
        let newer = slots[position].newer
        let older = slots[position].older
        if newer != Self.none { slots[newer].older = older } else { newest = older }
        if older != Self.none { slots[older].newer = newer } else { oldest = newer }
    }

    // MARK: Contents

    /// Calls `body` for each answer that is still valid, the least recently used first, with its remaining lifetime.
    func forEachAnswer(at now: Instant, _ body: (CacheKey, DNSAnswer, Duration) -> Void) {
        var position = oldest
        while position != Self.none {
            let slot = slots[position]
            if let answer = slot.answer, now < slot.expiry { body(slot.key, answer, slot.expiry - now) }
            position = slot.newer
        }
    }
}
