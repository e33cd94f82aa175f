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
            "dns_lookup_seconds",
            "How long lookups took that a server was asked for, waits for room included.",
            lookupTimes
        )
        addServers(to: &text)
        text.add("cache_hits_total", .counter, "Lookups answered by the cache.", hits)
        text.add("cache_misses_total", .counter, "Lookups that a server was asked for.", misses)
        text.add("cache_joins_total", .counter, "Lookups that waited with another.", joins)
        text.add("cache_evictions_total", .counter, "Answers dropped for room.", evictions)
        text.add("cache_entries", .gauge, "Answers in the cache.", entries)
        text.add("cache_bytes", .gauge, "Memory that the cache takes.", bytes)
    }

    /// The numbers of each server, which is named by its place in `dns.servers`: its address is nobody's business who reads
    /// the metrics.
    private func addServers(to text: inout MetricsText) {
        func add(_ name: String, _ help: String, _ value: (ServerStatistics) -> Int) {
            let series = servers.enumerated().map { place, server in
                (labels: [("server", "\(place + 1)")], value: value(server))
            }
            text.add("dns_server_\(name)_total", .counter, help, series)
        }
        add("queries", "Queries to each name server.", \.queries)
        add("answers", "Useful replies of each name server.", \.answers)
        add("failures", "Queries to each name server without a useful reply in time.", \.failures)
        text.add(
            "dns_server_state",
            .gauge,
            "1 for the state that each name server is in.",
            servers.enumerated().flatMap { place, server in
                ServerState.allCases.map { state in
                    let labels = [("server", "\(place + 1)"), ("state", state.rawValue)]
                    return (labels: labels, value: state == ServerState(server) ? 1 : 0)
                }
            }
        )
    }
}

/// How a name server is, in a word.
private enum ServerState: String, CaseIterable {
    case up
    /// Left alone for a while, as several names had no answer of it.
    case held
    /// Whatever it is asked, it refuses or fails.
    case failing
    /// Nothing comes from it.
    case down

    init(_ server: ServerStatistics) {
        if server.isDown {
            self = .down
        } else if server.isFailing {
            self = .failing
        } else {
            self = server.isHeld ? .held : .up
        }
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
