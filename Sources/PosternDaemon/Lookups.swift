public import DNSLookup
public import DNSResolver
internal import Glibc
public import NIOCore
public import PosternConfiguration

/// Where answers come from: name servers behind a cache, or a zone file.
public struct Lookups: Sendable {
    /// What is worth a line in the log.
    public enum News: Sendable {
        /// The DNS stops answering, or is back.
        case health(ResolverHealth)
        /// Lookups begin or cease to wait for room.
        case room(RoomChange)
    }

    /// Answers questions.
    public let resolver: any DNSResolving
    /// The resolver with its cache; nil with a zone file.
    private var caching: CachingResolver? { (resolver as? OwnedResolver)?.caching }
    private let settings: Configuration.DNS

    /// Opens what the settings name.
    ///
    /// - Parameters:
    ///   - configuration: its `[dns]`, and how many sessions there may be.
    ///   - group: the event loops that sockets live on.
    ///   - report: called when the DNS stops answering or is back, and when lookups begin or cease to wait for room.
    /// - Throws: what is wrong with the zone file.
    public init(
        _ configuration: Configuration,
        group: any EventLoopGroup,
        report: @escaping @Sendable (News) -> Void = { _ in }
    ) throws(ConfigurationError) {
        let settings = configuration.dns
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
                ResolverOptions(configuration),
                cache: CacheOptions(settings.cache),
                eventLoopGroup: group,
                onHealthChange: { report(.health($0)) },
                onRoomChange: { report(.room($0)) }
            )
            resolver = OwnedResolver(caching)
        }
    }

    /// Whether this serves other settings as well, without losing its cache.
    func serves(_ other: Configuration.DNS) -> Bool {
        caching != nil && other.zone == nil && other.cache == settings.cache
    }

    /// Takes the servers and times of another configuration, which it serves.
    func update(_ configuration: Configuration) {
        caching?.update(ResolverOptions(configuration))
        caching?.checkServers()
    }

    /// Finds out whether the servers are there, before a message asks.
    func checkServers() { caching?.checkServers() }

    /// Whether there is an answer to be had at all, as far as is known.
    var isAnswering: Bool { caching?.health != .notAnswering }
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

    func lookUp(_ question: DNSQuestion, for asker: (any DNSAsker)?) async -> DNSReply {
        await caching.lookUp(question, for: asker)
    }

    func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> OpenLookup { caching.ask(question, for: asker, answered: answered) }

    func answerAtHand(_ question: DNSQuestion) -> DNSReply? { caching.answerAtHand(question) }
}

extension ResolverOptions {
    /// How many questions of a message are sure to find a place to wait.
    private static let waitingPerSession = 8

    /// The servers, times and bounds that a configuration asks for.
    public init(_ configuration: Configuration) {
        let settings = configuration.dns
        let servers = settings.servers.map { NameServer($0.address, port: $0.port) }
        self.init(servers: servers.isEmpty ? Self.systemServers() : servers)
        timeout = settings.attemptTimeout
        attempts = settings.attempts
        deadline = settings.timeout
        maximumInFlight = settings.maxInFlight
        maximumWaiting = configuration.listen.reduce(0) { $0 + $1.maxConnections } * Self.waitingPerSession
        patience = configuration.limits.timeout
    }
}

extension CacheOptions {
    /// The bounds that a configuration asks for.
    init(_ settings: Configuration.DNS.Cache) {
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
            return "\(path) \(error): the DNS cache is not kept"
        }
    }

    /// Takes the answers that an earlier process kept and that are still good.
    ///
    /// - Returns: what came of it, in words; nil when the settings name no file, or there is none yet.
    func restore() -> String? {
        guard let caching, let path = settings.cache.snapshot, unsafe access(path, F_OK) == 0 else { return nil }
        do {
            return "\(path): \(Counted.words(try caching.loadSnapshot(from: path, at: Clock.now), "answer")) taken over"
        } catch {
            return "\(path) \(error): the DNS cache begins empty"
        }
    }

    /// The resolver's state for `postern status`.
    var statusLines: [String] {
        guard let statistics = caching?.statistics else { return ["DNS             zone file \(settings.zone ?? "")"] }
        return [
            "DNS             \(statistics.health.words), \(Counted.words(statistics.queries, "query", "queries")), "
                + "\(Counted.words(statistics.timeouts, "timeout")), \(statistics.inFlight) open",
            "room            \(Counted.words(statistics.waiting, "lookup waits", "lookups wait")), \(statistics.unserved) given up so far",
            "cache           \(Counted.words(statistics.entries, "answer")), \(statistics.bytes) octets, "
                + "\(Counted.words(statistics.hits, "hit")), \(Counted.words(statistics.misses, "miss", "misses")), \(statistics.joins) joined, \(statistics.evictions) evicted",
        ] + statistics.servers.map { "  server        " + $0.words }
    }

    /// The resolver's state for /metrics.
    func addMetrics(to text: inout MetricsText) {
        guard let statistics = caching?.statistics else { return }
        let isAnswering = statistics.health == .answering ? 1 : 0
        text.add("dns_answering", .gauge, "Whether a name server is known to answer.", isAnswering)
        text.add("dns_queries_total", .counter, "Queries sent to servers.", statistics.queries)
        text.add("dns_tcp_queries_total", .counter, "Queries sent over TCP.", statistics.queriesOverTCP)
        text.add("dns_timeouts_total", .counter, "Queries without a reply in time.", statistics.timeouts)
        text.add("dns_dropped_replies_total", .counter, "Replies that answered no question.", statistics.dropped)
        text.add("dns_failures_total", .counter, "Lookups that failed.", statistics.failures)
        text.add("dns_in_flight", .gauge, "Lookups under way, those that wait included.", statistics.inFlight)
        text.add("dns_waiting", .gauge, "Lookups that wait for room.", statistics.waiting)
        text.add("dns_unserved_total", .counter, "Lookups given up for lack of room.", statistics.unserved)
        text.add(
            "dns_server_answers_total",
            .counter,
            "Useful replies of each name server.",
            statistics.servers.map { (labels: [("server", "\($0.server)")], value: $0.answers) }
        )
        text.add(
            "dns_server_failures_total",
            .counter,
            "Queries to each name server without a useful reply in time.",
            statistics.servers.map { (labels: [("server", "\($0.server)")], value: $0.failures) }
        )
        text.add("cache_hits_total", .counter, "Lookups answered by the cache.", statistics.hits)
        text.add("cache_misses_total", .counter, "Lookups that a server was asked for.", statistics.misses)
        text.add("cache_joins_total", .counter, "Lookups that waited with another.", statistics.joins)
        text.add("cache_evictions_total", .counter, "Answers dropped for room.", statistics.evictions)
        text.add("cache_entries", .gauge, "Answers in the cache.", statistics.entries)
        text.add("cache_bytes", .gauge, "Octets the cache takes.", statistics.bytes)
    }
}

extension ResolverHealth {
    fileprivate var words: String {
        switch self {
        case .unknown: "not asked yet"
        case .answering: "answering"
        case .notAnswering: "NOT ANSWERING"
        }
    }
}

extension ServerStatistics {
    /// The server and how it does.
    fileprivate var words: String {
        var parts = [Counted.words(answers, "answer"), Counted.words(failures, "failure")]
        if let roundTrip { parts.append("\(roundTrip)") }
        if isDown {
            parts.append("down")
        } else if isFailing {
            parts.append("refuses or fails whatever it is asked")
        } else if failuresInARow > 0 {
            parts.append("the last \(failuresInARow) without an answer")
        }
        if isHeld { parts.append("left alone for now") }
        return "\(server): " + parts.joined(separator: ", ")
    }
}
