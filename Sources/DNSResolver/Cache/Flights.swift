internal import DNSLookup

/// The questions of a shard that are out, and who waits for their answers.
///
/// A value without lock, clock and transport: what happens goes in, what is to be done comes out. A flight has a number,
/// which is that of its first waiter; what is said of another flight for the same question changes nothing.
struct Flights {
    /// What becomes of somebody who wants an answer.
    enum Joining: Sendable {
        /// The reply is there.
        case answered(DNSReply)
        /// The question is out; its query, once it is known.
        case waits(QueryHandle?)
        /// The question is to be sent.
        case starts
    }

    /// What becomes of somebody who does not want to wait any more.
    struct Leaving: Sendable {
        /// Who leaves; the waiter is still owed a reply.
        let waiter: Waiter
        /// The query, once it is known.
        let handle: QueryHandle?
        /// Whether nobody wants the answer any more, so that the query is to be cancelled.
        let isLast: Bool
    }

    /// What becomes of a flight whose query is over.
    enum Landing: Sendable {
        /// The flight is not out any more.
        case unknown
        /// Those who wait get the outcome, or where that is a failure the stale answer.
        case landed(Waiters, stale: DNSAnswer?)
        /// The question is to be sent again, as one of those who wait for it: the flight's new number, and how many
        /// questions of the message came before.
        case again(number: UInt64, asked: Int)
    }

    private struct Flight {
        let number: UInt64
        var waiters = Waiters()
        /// How many questions of the message came before that has joined it, of several the smallest.
        var asked = Int.max
        var handle: QueryHandle?
        /// What those who wait get when the servers fail.
        var stale: DNSAnswer?
        /// Goes on when nobody waits: the answer is fetched ahead, or somebody got a stale one.
        var isWanted = false
        /// It was sent ahead of demand, so that it is given up rather than waiting for room.
        var isAhead = false
        /// The servers have had their time: whoever comes gets the stale answer.
        var hasServedStale = false

        /// Adds somebody who waits; returns the reply where there is no need to.
        mutating func join(_ waiter: Waiter, asked: Int) -> DNSReply? {
            if hasServedStale, let stale { return DNSReply(.success(stale), source: .stale) }
            waiters.append(waiter)
            self.asked = min(self.asked, asked)
            return nil
        }
    }

    private var flights: [CacheKey: Flight] = [:]
    /// For how many lookups a question was sent.
    private(set) var misses = 0
    /// How many lookups waited for a question that was out.
    private(set) var joins = 0

    /// How many questions are out.
    var count: Int { flights.count }

    /// Adds somebody who wants an answer that the cache does not have.
    ///
    /// - Parameters:
    ///   - key: the question.
    ///   - waiter: who wants the answer.
    ///   - asked: how many questions of the waiter's message came before.
    ///   - stale: what the cache has for the case that servers fail.
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
        // In place: with a copy at hand, all who wait would be copied for each that comes.
        if let reply = flights.values[position].join(waiter, asked: asked()) { return .answered(reply) }
        return .waits(flights.values[position].handle)
    }

    /// Takes somebody off those who wait; nil for somebody who does not.
    mutating func leave(_ key: CacheKey, _ number: UInt64) -> Leaving? {
        // Taken out, so that those who wait are not copied.
        guard var flight = flights.removeValue(forKey: key) else { return nil }
        let waiter = flight.waiters.remove(number)
        let isLast = waiter != nil && flight.waiters.isEmpty && !flight.isWanted
        if !isLast { flights[key] = flight }
        return waiter.map { Leaving(waiter: $0, handle: flight.handle, isLast: isLast) }
    }

    /// Begins a flight that nobody waits for; false when the question is out already.
    mutating func fetchAhead(_ key: CacheKey, _ number: UInt64) -> Bool {
        guard flights[key] == nil else { return false }
        flights[key] = Flight(number: number, isWanted: true, isAhead: true)
        return true
    }

    /// Notes the query of a flight; false when the flight is not out any more.
    mutating func note(_ handle: QueryHandle, _ key: CacheKey, _ number: UInt64) -> Bool {
        guard let position = flights.index(forKey: key), flights.values[position].number == number else { return false }
        flights.values[position].handle = handle
        return true
    }

    /// Ends a flight, or begins it again.
    ///
    /// A question that was sent ahead gets no place to wait for room. Who has joined it meanwhile is entitled to one, so
    /// that it becomes one of those that somebody waits for; once.
    ///
    /// - Parameters:
    ///   - key: the question.
    ///   - number: the flight.
    ///   - lacksRoom: whether the question was not sent for lack of room.
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

    /// The servers have had their time: those who wait get the stale answer, and the flight goes on.
    ///
    /// - Returns: who gets it; nil when the flight is not out any more, or there is no stale answer.
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
