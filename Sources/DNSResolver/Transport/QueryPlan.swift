internal import DNSLookup

/// Decides what happens next to a question that is out: events in, actions out.
struct QueryPlan {
    enum Action: Equatable {
        /// Send the question, and report `timedOut` when nothing useful came for that long.
        case send(NameServer, overTCP: Bool, edns: Bool, wait: Duration)
        /// Go on listening.
        case wait
        /// Nobody is left who could answer.
        case finish(DNSLookupError)
    }

    private let servers: [NameServer]
    private let timeout: Duration
    private let maximumTimeout: Duration
    private let attempts: Int

    private var sent = 0
    private var position = 0
    /// Servers that have answered, but not the question: SERVFAIL, REFUSED, or something that cannot be read.
    private var excluded: Set<NameServer> = []
    /// Servers that nobody listens at, in this round.
    private var unreachable: Set<NameServer> = []
    /// Servers that do not understand EDNS.
    private var plain: Set<NameServer> = []
    /// Servers whose next datagram is to be without EDNS, or with it again: something on the way may drop it.
    private var isWithout: Set<NameServer>
    private var overTCP: Set<NameServer> = []
    /// The error of the last server that gave one.
    private(set) var error: DNSLookupError?

    /// A plan to ask these servers in this order, some of them without EDNS first.
    init(servers: [NameServer], options: ResolverOptions, plainFirst: Set<NameServer> = []) {
        self.servers = servers
        isWithout = plainFirst
        timeout = options.attemptTimeout
        maximumTimeout = max(options.attemptTimeout, options.maximumAttemptTimeout)
        attempts = max(1, options.attempts)
    }

    mutating func begin() -> Action { next() }

    /// The server that was asked last.
    private var last: NameServer? { servers.indices.contains(position) ? servers[position] : nil }

    /// Nothing came in time.
    mutating func timedOut() -> Action {
        unreachable = []
        // RFC 6891 § 6.2.6 knows of firewalls that drop what has an OPT record. Since nobody says which of the two was
        // lost, the server or the record, both ways take turns.
        if let last, !overTCP.contains(last), isWithout.remove(last) == nil { isWithout.insert(last) }
        position += 1
        return next()
    }

    /// A reply over UDP did not fit.
    mutating func truncated(by server: NameServer) -> Action {
        // RFC 7766 § 5: a truncated reply is to be asked for again over TCP; once is enough for all that were sent.
        overTCP.insert(server).inserted ? send(to: server) : .wait
    }

    /// A server did not understand a query.
    mutating func notUnderstood(by server: NameServer, edns: Bool) -> Action {
        // RFC 6891 § 7: a server that does not know EDNS says FORMERR or NOTIMP, and may be asked again without it.
        guard edns else { return failed(server, .serverFailure) }
        return plain.insert(server).inserted ? send(to: server) : .wait
    }

    /// A connection that had served others was closed under the question.
    mutating func disconnected(from server: NameServer) -> Action {
        // RFC 7766 § 6.2.4: a client should be ready for that, and ask again.
        sent < attempts ? send(to: server) : failed(server, .serverFailure)
    }

    /// A server did not answer the question.
    mutating func failed(_ server: NameServer, _ error: DNSLookupError) -> Action {
        self.error = error
        excluded.insert(server)
        guard excluded.count < servers.count else { return .finish(error) }
        return next()
    }

    /// Nobody listens at a server's port.
    mutating func unreachable(_ server: NameServer) -> Action {
        unreachable.insert(server)
        // Once all have been found so, the rest of the time is given to them to come back.
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
