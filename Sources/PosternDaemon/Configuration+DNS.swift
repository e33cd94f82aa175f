public import DNSResolver
public import PosternConfiguration

extension Configuration.DNS {
    /// The settings for the resolver; the servers of /etc/resolv.conf, read now, when none are named.
    public var resolverOptions: ResolverOptions {
        let named = servers.map { NameServer($0.address, port: $0.port) }
        var options = ResolverOptions(servers: named.isEmpty ? ResolverOptions.systemServers() : named)
        options.timeout = attemptTimeout
        options.maximumTimeout = max(attemptTimeout, options.maximumTimeout)
        options.attempts = attempts
        options.deadline = timeout
        options.maximumInFlight = maxInFlight
        return options
    }

    /// The settings for the resolver's cache.
    public var cacheOptions: CacheOptions {
        var options = CacheOptions()
        options.maximumEntries = cache.maxEntries
        options.maximumBytes = cache.maxBytes
        options.minimumTTL = cache.minTTL
        options.maximumTTL = cache.maxTTL
        options.negativeMaximumTTL = cache.negativeMaxTTL
        options.keyMaximumTTL = cache.keyMaxTTL
        options.serveStale = cache.serveStale > .zero ? cache.serveStale : nil
        if !cache.refreshAhead { options.refreshAhead = 0 }
        return options
    }
}
