internal import Synchronization

/// What a resolver has done and holds; the counters only grow.
public struct ResolverStatistics: Hashable, Sendable {
    /// Lookups answered from the cache, failures and names below a name that does not exist included.
    public var hits = 0
    /// Lookups for which a question was sent.
    public var misses = 0
    /// Lookups that waited for a question somebody else had sent.
    public var joins = 0
    /// Questions that ended without an answer.
    public var failures = 0
    /// Entries that had to make room for others.
    public var evictions = 0
    /// Entries held.
    public var entries = 0
    /// About how much memory they take, in octets.
    public var bytes = 0
    /// Questions that are out.
    public var inFlight = 0
    /// Those of them that wait for room.
    public var waiting = 0
    /// Questions that were given up for lack of room.
    public var unserved = 0
    /// Messages sent over UDP.
    public var queries = 0
    /// Messages sent over TCP.
    public var queriesOverTCP = 0
    /// Messages that were not answered in time.
    public var timeouts = 0
    /// Messages received that answered nothing, forged ones among them.
    public var dropped = 0
    /// Whether the DNS answers.
    public var health = ResolverHealth.unknown
    /// The servers, in the order of preference.
    public var servers: [ServerStatistics] = []
}

extension CachingResolver {
    /// Whether the DNS answers.
    public var health: ResolverHealth { network?.health.statistics.health ?? .unknown }

    /// What the resolver has done and holds.
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
