/// What the cache keeps, and for how long.
public struct CacheOptions: Hashable, Sendable {
    /// The most entries kept.
    public var maximumEntries = 200_000
    /// The most memory that the entries take, in octets.
    public var maximumBytes = 64 << 20
    /// An answer with a shorter TTL is kept for this time all the same.
    public var minimumTTL: Duration = .zero
    /// No answer is kept for longer than this.
    public var maximumTTL: Duration = .seconds(86400)
    /// No "no such name" or "no data" is kept for longer than this (RFC 2308 § 5 speaks of one to three hours).
    public var negativeMaximumTTL: Duration = .seconds(3600)
    /// For how long a failure is kept; it doubles with each one after it.
    public var failureTTL: Duration = .seconds(5)
    /// No failure is kept for longer than this; RFC 9520 § 3.2 allows five minutes.
    public var failureMaximumTTL: Duration = .seconds(300)
    /// How long beyond its TTL an answer may be used while no server answers (RFC 8767); nil for never.
    public var serveStale: Duration?
    /// How long somebody waits for a server before getting a stale answer (RFC 8767 § 5, client response timer).
    public var staleResponseTime: Duration = .milliseconds(1800)
    /// An answer in demand is asked for again when less than this part of its life remains; 0 for never.
    public var refreshAhead = 0.1
    /// A DKIM key is never kept for longer than this, whatever its TTL, and never used beyond: keys are revoked.
    public var keyMaximumTTL: Duration = .seconds(3600)

    /// The defaults.
    public init() {}
}
