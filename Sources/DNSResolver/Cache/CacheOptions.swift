/// The limits of the cache, on its size and on the age of its entries.
public struct CacheOptions: Hashable, Sendable {
    /// The most entries.
    public var maximumEntries = 200_000
    /// The most memory of all entries, in octets.
    public var maximumBytes = 64 << 20
    /// The shortest time for which an answer is kept, even if its TTL is shorter.
    public var minimumTTL: Duration = .zero
    /// The longest time for which an answer is kept.
    public var maximumTTL: Duration = .seconds(86400)
    /// The longest time for which "no such name" or "no data" is kept (RFC 2308 § 5 speaks of one to three hours).
    public var negativeMaximumTTL: Duration = .seconds(3600)
    /// How long a first failure is kept; the time doubles with each further failure.
    public var failureTTL: Duration = .seconds(5)
    /// The longest time for which a failure is kept; RFC 9520 § 3.2 allows five minutes.
    public var failureMaximumTTL: Duration = .seconds(300)
    /// How long after its TTL an answer may be used while no server answers (RFC 8767); nil for never.
    public var serveStale: Duration?
    /// How long a lookup waits for a server before it gets a stale answer (RFC 8767 § 5, client response timer).
    public var staleResponseTime: Duration = .milliseconds(1800)
    /// An answer in demand is fetched again when less than this part of its lifetime remains; 0 for never.
    public var refreshAhead = 0.1
    /// The longest time for which a DKIM key is kept and used, whatever its TTL, because keys are revoked.
    public var keyMaximumTTL: Duration = .seconds(3600)

    /// The defaults.
    public init() {}
}
