internal import DNSLookup

/// A question that is out, and who waits for it.
struct InFlight {
    struct Waiter {
        let number: UInt64
        let answered: @Sendable (DNSReply) -> Void
    }

    /// Tells this query from a later one for the same question; it is the number of who asked first.
    let number: UInt64
    var waiters = Waiters()
    /// What those who wait get when the servers fail.
    var stale: DNSAnswer?
    /// How many questions of the message came before that has joined it, of several the smallest.
    var asked = Int.max
    var handle: QueryHandle?
    /// Goes on when nobody waits: the answer is fetched ahead, or somebody got a stale one.
    var isWanted = false
    /// It was sent ahead of demand, so that it is given up rather than waiting for room.
    var isAhead = false
    /// Nobody waits any more, for the servers have had their time.
    var hasServedStale = false

    /// Adds somebody who waits; returns the reply where there is no need to.
    ///
    /// It is done in place: with a copy at hand all who wait would be copied for each that comes.
    mutating func join(_ waiter: Waiter, asked: Int) -> DNSReply? {
        if hasServedStale, let stale { return DNSReply(.success(stale), source: .stale) }
        waiters.append(waiter)
        self.asked = min(self.asked, asked)
        return nil
    }
}

/// Those who wait for one answer: one alone, most often.
struct Waiters {
    private var first: InFlight.Waiter?
    private var others: [UInt64: InFlight.Waiter] = [:]

    init(_ first: InFlight.Waiter? = nil) {
        self.first = first
    }

    var isEmpty: Bool { first == nil && others.isEmpty }

    var all: [InFlight.Waiter] { (first.map { [$0] } ?? []) + others.values }

    mutating func append(_ waiter: InFlight.Waiter) {
        if isEmpty { first = waiter } else { others[waiter.number] = waiter }
    }

    /// Takes somebody off; nil for somebody who does not wait here.
    mutating func remove(_ number: UInt64) -> InFlight.Waiter? {
        guard first?.number == number else { return others.removeValue(forKey: number) }
        defer { first = nil }
        return first
    }
}
