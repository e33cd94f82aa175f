public import DNSLookup
public import DNSResolver
internal import Glibc
public import NIOCore
public import PosternConfiguration

/// Where answers come from: name servers behind a cache, or a zone file.
public struct Lookups: Sendable {
    /// Answers questions.
    public let resolver: any DNSResolving
    /// The resolver with its cache; nil with a zone file.
    private var caching: CachingResolver? { (resolver as? OwnedResolver)?.caching }
    private let settings: Configuration.DNS

    /// Opens what the settings name.
    ///
    /// - Parameters:
    ///   - settings: the configuration's `[dns]`.
    ///   - group: the event loops that sockets live on.
    ///   - reportHealth: called with whether the DNS answers, when that changes.
    /// - Throws: what is wrong with the zone file.
    public init(
        _ settings: Configuration.DNS,
        group: any EventLoopGroup,
        reportHealth: @escaping @Sendable (Bool) -> Void = { _ in }
    ) throws(ConfigurationError) {
        self.settings = settings
        if let path = settings.zone {
            do {
                resolver = try ZoneFile.load(path: path)
            } catch {
                let problem = ConfigurationProblem(
                    file: error.path,
                    line: error.line ?? 0,
                    column: 0,
                    key: "dns.zone",
                    message: error.reason
                )
                throw ConfigurationError(problems: [problem])
            }
        } else {
            let caching = CachingResolver(
                ResolverOptions(settings),
                cache: CacheOptions(settings.cache),
                eventLoopGroup: group,
                onHealthChange: { reportHealth($0 == .answering) }
            )
            resolver = OwnedResolver(caching)
        }
    }

    /// Whether this serves other settings as well, without losing its cache.
    func serves(_ other: Configuration.DNS) -> Bool {
        caching != nil && other.zone == nil && other.cache == settings.cache
    }

    /// Takes the servers and times of other settings, which it serves.
    func update(_ settings: Configuration.DNS) {
        caching?.update(ResolverOptions(settings))
    }
}

/// Shuts a resolver down when nobody can ask it any more: neither a configuration nor a message that it is judged by.
private final class OwnedResolver: DNSResolving {
    let caching: CachingResolver

    init(_ caching: CachingResolver) {
        self.caching = caching
    }

    deinit {
        // Sockets are closed on their event loops, and the cache is freed on none.
        Task.detached { [caching] in await caching.shutdown() }
    }

    func lookUp(_ question: DNSQuestion) async -> DNSReply { await caching.lookUp(question) }

    func answerAtHand(_ question: DNSQuestion) -> DNSReply? { caching.answerAtHand(question) }
}

extension ResolverOptions {
    /// The servers and times that a configuration asks for.
    public init(_ settings: Configuration.DNS) {
        let servers = settings.servers.map { NameServer($0.address, port: $0.port) }
        self.init(servers: servers.isEmpty ? Self.systemServers() : servers)
        timeout = settings.attemptTimeout
        attempts = settings.attempts
        deadline = settings.timeout
        maximumInFlight = settings.maxInFlight
    }
}

extension CacheOptions {
    /// The bounds that a configuration asks for.
    fileprivate init(_ settings: Configuration.DNS.Cache) {
        self.init()
        maximumEntries = settings.maxEntries
        maximumBytes = settings.maxBytes
        minimumTTL = settings.minTTL
        maximumTTL = settings.maxTTL
        negativeMaximumTTL = settings.negativeMaxTTL
        keyMaximumTTL = settings.keyMaxTTL
        serveStale = settings.serveStale > .zero ? settings.serveStale : nil
        refreshAhead = settings.refreshAhead ? refreshAhead : 0
    }
}

// MARK: What it does

extension Lookups {
    /// Ends open queries, and keeps the cache in a file where the settings name one.
    ///
    /// - Returns: why the file could not be written; nil when nothing went wrong.
    @discardableResult
    public func close() async -> String? {
        await caching?.shutdown()
        guard let path = settings.cache.snapshot else { return nil }
        do {
            try caching?.saveSnapshot(to: path, at: Clock.now)
            return nil
        } catch {
            return "\(path): the DNS cache could not be kept: \(error)"
        }
    }

    /// Takes the answers that an earlier process kept and that are still good.
    ///
    /// - Returns: what came of it, in words; nil when the settings name no file, or there is none yet.
    func restore() -> String? {
        guard let caching, let path = settings.cache.snapshot, unsafe access(path, F_OK) == 0 else { return nil }
        do {
            return "\(path): \(try caching.loadSnapshot(from: path, at: Clock.now)) answers taken over"
        } catch {
            return "\(path): the DNS cache could not be taken over: \(error)"
        }
    }

    /// The resolver's state for `postern status`.
    var statusLines: [String] {
        guard let statistics = caching?.statistics else { return ["DNS             zone file \(settings.zone ?? "")"] }
        let health = statistics.health == .answering ? "answering" : "NOT ANSWERING"
        let servers = statistics.servers.map { server in
            let time = server.roundTrip.map { ", \($0)" } ?? ""
            return "  server        \(server.server): \(server.answers) answers, \(server.failures) failures\(time)"
                + (server.isHeld ? ", left alone for now" : "")
        }
        return [
            "DNS             \(health), \(statistics.queries) queries, \(statistics.timeouts) timeouts, "
                + "\(statistics.inFlight) open",
            "cache           \(statistics.entries) answers, \(statistics.bytes) octets, \(statistics.hits) hits, "
                + "\(statistics.misses) misses, \(statistics.joins) joined, \(statistics.evictions) evicted",
        ] + servers
    }

    /// The resolver's state for /metrics.
    func addMetrics(to text: inout MetricsText) {
        guard let statistics = caching?.statistics else { return }
        let isAnswering = statistics.health == .answering ? 1 : 0
        text.add("dns_answering", .gauge, "Whether the DNS answers at all.", isAnswering)
        text.add("dns_queries_total", .counter, "Queries sent to servers.", statistics.queries)
        text.add("dns_tcp_queries_total", .counter, "Queries sent over TCP.", statistics.queriesOverTCP)
        text.add("dns_timeouts_total", .counter, "Queries without a reply in time.", statistics.timeouts)
        text.add("dns_dropped_replies_total", .counter, "Replies that answered no question.", statistics.dropped)
        text.add("dns_failures_total", .counter, "Lookups that failed.", statistics.failures)
        text.add("dns_in_flight", .gauge, "Queries under way.", statistics.inFlight)
        text.add("cache_hits_total", .counter, "Lookups answered by the cache.", statistics.hits)
        text.add("cache_misses_total", .counter, "Lookups that a server was asked for.", statistics.misses)
        text.add("cache_joins_total", .counter, "Lookups that waited with another.", statistics.joins)
        text.add("cache_evictions_total", .counter, "Answers dropped for room.", statistics.evictions)
        text.add("cache_entries", .gauge, "Answers in the cache.", statistics.entries)
        text.add("cache_bytes", .gauge, "Octets the cache takes.", statistics.bytes)
    }
}
