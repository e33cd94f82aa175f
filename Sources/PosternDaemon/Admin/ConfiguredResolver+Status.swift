internal import DNSResolver
internal import PosternConfiguration
internal import PosternSetup

extension ConfiguredResolver {
    /// The resolver's state for `postern status`.
    var statusLines: [String] {
        switch self {
        case .zone(_, let path): ["DNS             zone file \(path)"]
        case .servers(let servers): servers.statistics.lines
        }
    }

    /// The resolver's state for /metrics.
    func addMetrics(to text: inout MetricsText) {
        if case .servers(let servers) = self { servers.statistics.addMetrics(to: &text) }
    }
}

extension ResolverStatistics {
    /// The numbers for `postern status`.
    fileprivate var lines: [String] {
        [
            "DNS             \(health.words), \(Counted.words(queries, "query", "queries")), "
                + "\(Counted.words(timeouts, "timeout")), \(inFlight) open",
            "room            \(Counted.words(waiting, "lookup waits", "lookups wait")), \(unserved) given up so far",
            "cache           \(Counted.words(entries, "answer")), \(bytes) octets, "
                + "\(Counted.words(hits, "hit")), \(Counted.words(misses, "miss", "misses")), \(joins) joined, \(evictions) evicted",
        ] + servers.map { "  server        " + $0.words }
    }

    /// The numbers for /metrics.
    fileprivate func addMetrics(to text: inout MetricsText) {
        let isAnswering = health == .answering ? 1 : 0
        text.add("dns_answering", .gauge, "Whether a name server is known to answer.", isAnswering)
        text.add("dns_queries_total", .counter, "Queries sent to servers.", queries)
        text.add("dns_tcp_queries_total", .counter, "Queries sent over TCP.", queriesOverTCP)
        text.add("dns_timeouts_total", .counter, "Queries without a reply in time.", timeouts)
        text.add("dns_dropped_replies_total", .counter, "Replies that answered no question.", dropped)
        text.add("dns_failures_total", .counter, "Lookups that failed.", failures)
        text.add("dns_in_flight", .gauge, "Lookups under way, those that wait included.", inFlight)
        text.add("dns_waiting", .gauge, "Lookups that wait for room.", waiting)
        text.add("dns_unserved_total", .counter, "Lookups given up for lack of room.", unserved)
        text.add(
            "dns_server_answers_total",
            .counter,
            "Useful replies of each name server.",
            servers.map { (labels: [("server", "\($0.server)")], value: $0.answers) }
        )
        text.add(
            "dns_server_failures_total",
            .counter,
            "Queries to each name server without a useful reply in time.",
            servers.map { (labels: [("server", "\($0.server)")], value: $0.failures) }
        )
        text.add("cache_hits_total", .counter, "Lookups answered by the cache.", hits)
        text.add("cache_misses_total", .counter, "Lookups that a server was asked for.", misses)
        text.add("cache_joins_total", .counter, "Lookups that waited with another.", joins)
        text.add("cache_evictions_total", .counter, "Answers dropped for room.", evictions)
        text.add("cache_entries", .gauge, "Answers in the cache.", entries)
        text.add("cache_bytes", .gauge, "Octets the cache takes.", bytes)
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
