internal import DNSLookup

/// The questions of a shard in flight, and the waiters for their answers.
///
/// A value without lock, clock and transport: events go in, actions come out. The number of a flight is the number of
/// its first waiter. An event with the number of another flight for the same question has no effect.
struct Flights {
    /// The decision about a new waiter.
    enum Joining: Sendable {
        /// The reply is there.
        case answered(DNSReply)
        /// The question is in flight; the handle of its query, once it is known.
        case waits(QueryHandle?)
        /// The question must be sent.
        case starts
    }

    /// The result when a waiter gives up.
    struct Leaving: Sendable {
        /// The waiter that leaves; it must still get a reply.
        let waiter: Waiter
        /// The query, once it is known.
        let handle: QueryHandle?
        /// Whether no waiter is left, so that the query must be cancelled.
        let isLast: Bool
    }

    /// The result when the query of a flight ends.
    enum Landing: Sendable {
        /// The flight no longer exists.
        case unknown
        /// The waiters get the outcome, or the stale answer if the outcome is a failure.
        case landed(Waiters, stale: DNSAnswer?)
        /// The question must be sent again, as a question with waiters: the flight's new number, and how many questions
        /// of the message came before.
        case again(number: UInt64, asked: Int)
    }

    private struct Flight {
        let number: UInt64
        var waiters = Waiters()
        /// How many questions of the joined message came before; the smallest number of several messages.
        var asked = Int.max
        var handle: QueryHandle?
        /// The waiters' answer if the servers fail.
        var stale: DNSAnswer?
        /// Whether the query goes on without waiters: the answer is fetched ahead, or a waiter got a stale answer.
        var isWanted = false
        /// Whether the question was sent ahead of demand: it is given up instead of waiting for room.
        var isAhead = false
        /// Whether the servers have had their time: new waiters get the stale answer.
        var hasServedStale = false

        /// Adds a waiter; returns the reply if the waiter need not wait.
        mutating func join(_ waiter: Waiter, asked: Int) -> DNSReply? {
            if hasServedStale, let stale { return DNSReply(.success(stale), source: .stale) }
            waiters.append(waiter)
            self.asked = min(self.asked, asked)
            return nil
        }
    }

    private var flights: [CacheKey: Flight] = [:]
    /// How many lookups sent a question.
    private(set) var misses = 0
    /// How many lookups waited for a question in flight.
    private(set) var joins = 0

    /// How many questions are in flight.
    var count: Int { flights.count }

    /// Adds a waiter for an answer that the cache does not have.
    ///
    /// - Parameters:
    ///   - key: the question.
    ///   - waiter: the waiter.
    ///   - asked: how many questions of the waiter's message came before.
    ///   - stale: the cached answer for the case that servers fail.
    mutating func join(
        _ key: CacheKey,
        _ waiter: Waiter,
        asked: @autoclosure () -> Int,
        stale: DNSAnswer?
    ) -> Joining {
        guard let position = flights.index(forKey: key) else {
            misses += 1
            flights[key] = Flight(number: waiter.number, waiters: Waiters(waiter), stale: stale)
            return .starts
        }
        joins += 1
        // In place: if the flight were copied, its list of waiters would be copied for each new waiter.
        if let reply = flights.values[position].join(waiter, asked: asked()) { return .answered(reply) }
        return .waits(flights.values[position].handle)
    }

    /// Removes a waiter; nil if it does not wait.
    mutating func leave(_ key: CacheKey, _ number: UInt64) -> Leaving? {
        // The flight is taken out of the table, so that its waiters are not copied.
        guard var flight = flights.removeValue(forKey: key) else { return nil }
        let waiter = flight.waiters.remove(number)
        let isLast = waiter != nil && flight.waiters.isEmpty && !flight.isWanted
        if !isLast { flights[key] = flight }
        return waiter.map { Leaving(waiter: $0, handle: flight.handle, isLast: isLast) }
    }

    /// Begins a flight without waiters; false when the question is already in flight.
    mutating func fetchAhead(_ key: CacheKey, _ number: UInt64) -> Bool {
        guard flights[key] == nil else { return false }
        flights[key] = Flight(number: number, isWanted: true, isAhead: true)
        return true
    }

    /// Stores the query handle of a flight; false when the flight no longer exists.
    mutating func note(_ handle: QueryHandle, _ key: CacheKey, _ number: UInt64) -> Bool {
        guard let position = flights.index(forKey: key), flights.values[position].number == number else { return false }
        flights.values[position].handle = handle
        return true
    }

    /// Ends a flight, or begins it again.
    ///
    /// A question that was sent ahead may not wait for room. A waiter that has joined it is entitled to wait, so the
    /// question becomes, once, a question with waiters.
    ///
    /// - Parameters:
    ///   - key: the question.
    ///   - number: the flight.
    ///   - lacksRoom: whether the question was not sent because there was no room.
    mutating func land(_ key: CacheKey, _ number: UInt64, lacksRoom: Bool) -> Landing {
        guard let position = flights.index(forKey: key), flights.values[position].number == number else {
            return .unknown
        }
        let flight = flights.values[position]
        guard lacksRoom, flight.isAhead, let next = flight.waiters.all.first else {
            flights.remove(at: position)
            return .landed(flight.waiters, stale: flight.stale)
        }
        flights.values[position] = Flight(
            number: next.number,
            waiters: flight.waiters,
            asked: flight.asked,
            stale: flight.stale
        )
        return .again(number: next.number, asked: flight.asked)
    }

    /// Notes that the servers have had their time: the waiters get the stale answer, and the flight goes on.
    ///
    /// - Returns: the waiters and their answer; nil when the flight no longer exists or there is no stale answer.
    mutating func serveStale(_ key: CacheKey, _ number: UInt64) -> (waiters: Waiters, answer: DNSAnswer)? {
        guard let position = flights.index(forKey: key), flights.values[position].number == number,
            let stale = flights.values[position].stale
        else { return nil }
        defer {
            flights.values[position].waiters = Waiters()
            flights.values[position].isWanted = true
            flights.values[position].hasServedStale = true
        }
        return (flights.values[position].waiters, stale)
    }
}
