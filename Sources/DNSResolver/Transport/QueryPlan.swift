internal import DNSLookup

/// Decides the next step for a question in flight: events in, actions out.
struct QueryPlan {
    enum Action: Equatable {
        /// Send the question, and report `timedOut` if no useful reply comes within `wait`.
        case send(NameServer, overTCP: Bool, edns: Bool, wait: Duration)
        /// Continue to listen.
        case wait
        /// No server is left that could answer.
        case finish(DNSLookupError)
    }

    private let servers: [NameServer]
    private let timeout: Duration
    private let maximumTimeout: Duration
    private let attempts: Int

    private var sent = 0
    private var position = 0
    /// Servers that replied without answering the question: SERVFAIL, REFUSED, or an unreadable reply.
    private var excluded: Set<NameServer> = []
    /// Servers whose port was closed in this round.
    private var unreachable: Set<NameServer> = []
    /// Servers that do not understand EDNS.
    private var plain: Set<NameServer> = []
    /// Servers whose next datagram goes without EDNS; attempts alternate, because the network may drop either kind.
    private var isWithout: Set<NameServer>
    private var overTCP: Set<NameServer> = []
    /// The error of the last server that gave one.
    private(set) var error: DNSLookupError?

    /// A plan to ask these servers in this order, some of them first without EDNS.
    init(servers: [NameServer], options: ResolverOptions, plainFirst: Set<NameServer> = []) {
        self.servers = servers
        isWithout = plainFirst
        timeout = options.attemptTimeout
        maximumTimeout = max(options.attemptTimeout, options.maximumAttemptTimeout)
        attempts = max(1, options.attempts)
    }

    mutating func begin() -> Action { next() }

    /// The server of the latest attempt.
    private var last: NameServer? { servers.indices.contains(position) ? servers[position] : nil }

    /// No reply came in time.
    mutating func timedOut() -> Action {
        unreachable = []
        // RFC 6891 § 6.2.6 mentions firewalls that drop messages with an OPT record. Nobody knows whether the server or
        // the record caused the loss, so attempts with and without EDNS alternate.
        if let last, !overTCP.contains(last), isWithout.remove(last) == nil { isWithout.insert(last) }
        position += 1
        return next()
    }

    /// A UDP reply was truncated.
    mutating func truncated(by server: NameServer) -> Action {
        // RFC 7766 § 5: a truncated reply is to be asked for again over TCP; one TCP query is enough for all UDP
        // attempts.
        overTCP.insert(server).inserted ? send(to: server) : .wait
    }

    /// A server did not understand a query.
    mutating func notUnderstood(by server: NameServer, edns: Bool) -> Action {
        // RFC 6891 § 7: a server that does not know EDNS says FORMERR or NOTIMP, and may be asked again without it.
        guard edns else { return failed(server, .serverFailure) }
        return plain.insert(server).inserted ? send(to: server) : .wait
    }

    /// The server closed a connection that had served other questions before.
    mutating func disconnected(from server: NameServer) -> Action {
        // RFC 7766 § 6.2.4: a client should be prepared for this, and ask again.
        sent < attempts ? send(to: server) : failed(server, .serverFailure)
    }

    /// A server did not answer the question.
    mutating func failed(_ server: NameServer, _ error: DNSLookupError) -> Action {
        self.error = error
        excluded.insert(server)
        guard excluded.count < servers.count else { return .finish(error) }
        return next()
    }

    /// The server's port is closed.
    mutating func unreachable(_ server: NameServer) -> Action {
        unreachable.insert(server)
        // When all servers are unreachable, the rest of the time is left for them to come back.
        guard unreachable.union(excluded).count < servers.count else { return .wait }
        return next()
    }

    private mutating func next() -> Action {
        guard sent < attempts else { return .wait }
        for step in 0..<servers.count {
            let candidate = (position + step) % servers.count
            let server = servers[candidate]
            guard !excluded.contains(server), !unreachable.contains(server) else { continue }
            position = candidate
            return send(to: server)
        }
        return servers.isEmpty ? .finish(.serverFailure) : .wait
    }

    private mutating func send(to server: NameServer) -> Action {
        let round = min(sent / max(1, servers.count), 16)
        sent += 1
        return .send(
            server,
            overTCP: overTCP.contains(server),
            edns: !plain.contains(server) && (overTCP.contains(server) || !isWithout.contains(server)),
            wait: min(timeout * (1 << round), maximumTimeout)
        )
    }
}
