internal import DNSLookup

/// A lookup that waits for an answer.
struct Waiter {
    /// A number that is unique within the resolver.
    let number: UInt64
    let answered: @Sendable (DNSReply) -> Void
}

/// The waiters for one answer; most often there is only one.
struct Waiters {
    private var first: Waiter?
    private var others: [UInt64: Waiter] = [:]

    /// No waiter, or one.
    init(_ first: Waiter? = nil) {
        self.first = first
    }

    var isEmpty: Bool { first == nil && others.isEmpty }

    var all: [Waiter] { (first.map { [$0] } ?? []) + others.values }

    mutating func append(_ waiter: Waiter) {
        if isEmpty { first = waiter } else { others[waiter.number] = waiter }
    }

    /// Removes a waiter; nil if it does not wait here.
    mutating func remove(_ number: UInt64) -> Waiter? {
        guard first?.number == number else { return others.removeValue(forKey: number) }
        defer { first = nil }
        return first
    }
}
