internal import DNSLookup

/// Somebody who waits for an answer.
struct Waiter {
    /// Tells it from all others of the resolver.
    let number: UInt64
    let answered: @Sendable (DNSReply) -> Void
}

/// Those who wait for one answer: most often one alone.
struct Waiters {
    private var first: Waiter?
    private var others: [UInt64: Waiter] = [:]

    /// Nobody, or one.
    init(_ first: Waiter? = nil) {
        self.first = first
    }

    var isEmpty: Bool { first == nil && others.isEmpty }

    var all: [Waiter] { (first.map { [$0] } ?? []) + others.values }

    mutating func append(_ waiter: Waiter) {
        if isEmpty { first = waiter } else { others[waiter.number] = waiter }
    }

    /// Takes somebody off; nil for somebody who does not wait here.
    mutating func remove(_ number: UInt64) -> Waiter? {
        guard first?.number == number else { return others.removeValue(forKey: number) }
        defer { first = nil }
        return first
    }
}
