internal import Synchronization

/// The counters of the transport; each only grows.
final class TransportCounters: Sendable {
    let queries = Atomic(0)
    let queriesOverTCP = Atomic(0)
    let timeouts = Atomic(0)
    let dropped = Atomic(0)

    /// Counts a question that is sent.
    func countQuery(overTCP: Bool) {
        if overTCP { queriesOverTCP.add(1, ordering: .relaxed) } else { queries.add(1, ordering: .relaxed) }
    }
}
