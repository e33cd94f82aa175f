internal import Synchronization

/// The counters of a resolver, which only grow, and its present state.
public struct ResolverStatistics: Hashable, Sendable {
    /// Lookups answered from the cache, including failures and names below a name that does not exist.
    public var hits = 0
    /// Lookups for which a question was sent.
    public var misses = 0
    /// Lookups that waited for a question that another lookup had sent.
    public var joins = 0
    /// Questions that ended without an answer.
    public var failures = 0
    /// Entries that were removed to make room for others.
    public var evictions = 0
    /// The present number of entries.
    public var entries = 0
    /// The approximate memory of the entries, in octets.
    public var bytes = 0
    /// Questions in flight.
    public var inFlight = 0
    /// Questions in flight that wait for room.
    public var waiting = 0
    /// Questions that were given up because there was no room.
    public var unserved = 0
    /// Messages sent over UDP.
    public var queries = 0
    /// Messages sent over TCP.
    public var queriesOverTCP = 0
    /// Messages that were not answered in time.
    public var timeouts = 0
    /// Received messages that did not answer a question, including forged ones.
    public var dropped = 0
    /// How long questions were out, those that had to wait for room included.
    public var lookupTimes = DurationHistogram().values
    /// Whether the DNS answers.
    public var health = ResolverHealth.unknown
    /// The servers, in order of preference.
    public var servers: [ServerStatistics] = []
}

extension CachingResolver {
    /// Whether the DNS answers.
    public var health: ResolverHealth { network?.health.statistics.health ?? .unknown }

    /// The counters and the present state.
    public var statistics: ResolverStatistics {
        var sum = ResolverStatistics()
        cache.forEach { shard in
            sum.hits += shard.hits
            sum.misses += shard.flights.misses
            sum.joins += shard.flights.joins
            sum.failures += shard.failures
            sum.evictions += shard.evictions
            sum.entries += shard.entries
            sum.bytes += shard.bytes
            sum.inFlight += shard.flights.count
        }
        sum.lookupTimes = lookupTimes.values
        guard let network else { return sum }
        sum.queries = network.counters.queries.load(ordering: .relaxed)
        sum.queriesOverTCP = network.counters.queriesOverTCP.load(ordering: .relaxed)
        sum.timeouts = network.counters.timeouts.load(ordering: .relaxed)
        sum.dropped = network.counters.dropped.load(ordering: .relaxed)
        (sum.waiting, sum.unserved) = network.room.statistics
        (sum.health, sum.servers) = network.health.statistics
        return sum
    }
}
