internal import DNSLookup
internal import NIOCore
internal import Synchronization

/// Runs the queries of one event loop: their plans, timers, sockets and connections.
final class LoopTransport {
    let loop: any EventLoop
    private let health: ServerHealth
    private let counters: TransportCounters
    private var mostQueries: Int

    private var queries: [UInt64: Query] = [:]
    /// Queries that wait for others to end; those that have gone meanwhile are passed over.
    private var waiting: [Query] = []
    private var running = 0
    /// Numbers of queries of our own, from the end that nobody reaches.
    private var nextProbe = UInt64.max
    private var sockets: [NameServer: UDPSocket] = [:]
    private var connections: [NameServer: TCPConnection] = [:]

    init(loop: any EventLoop, health: ServerHealth, counters: TransportCounters, mostQueries: Int) {
        self.loop = loop
        self.health = health
        self.counters = counters
        self.mostQueries = max(1, mostQueries)
    }

    var idleTimeout: TimeAmount { TimeAmount(health.options.idleTimeout) }

    // MARK: Queries

    func start(
        number: UInt64,
        question: DNSQuestion,
        completion: @escaping @Sendable (QueryOutcome) -> Void
    ) {
        let deadline = NIODeadline.now() + TimeAmount(health.options.deadline)
        let query = Query(number: number, question: question, deadline: deadline, completion: completion)
        queries[number] = query
        if running < mostQueries {
            begin(query)
        } else if waiting.count < mostQueries {
            waiting.append(query)
            setTimer(query, deadline)
        } else {
            finish(query, QueryOutcome(result: .failure(.serverFailure)))
        }
    }

    func cancel(number: UInt64) {
        guard let query = queries[number] else { return }
        release(query)
    }

    private func begin(_ query: Query) {
        running += 1
        let (servers, probe) = health.order(at: .now())
        run(query, QueryPlan(servers: servers, options: health.options))
        if let probe { look(for: probe, query.question) }
    }

    private func run(_ query: Query, _ plan: QueryPlan) {
        query.plan = plan
        perform(query.plan?.begin(), query)
    }

    /// Sends a question once to a server that has been left alone; only its health cares about the answer.
    private func look(for server: NameServer, _ question: DNSQuestion) {
        var options = health.options
        options.attempts = 1
        nextProbe -= 1
        let query = Query(
            number: nextProbe,
            question: question,
            deadline: .now() + TimeAmount(options.timeout),
            completion: { _ in }
        )
        queries[query.number] = query
        running += 1
        run(query, QueryPlan(servers: [server], options: options))
    }

    private func finish(_ query: Query, _ outcome: QueryOutcome) {
        release(query)
        query.completion(outcome)
    }

    /// Frees everything a query holds, and lets the next one begin.
    private func release(_ query: Query) {
        guard queries.removeValue(forKey: query.number) != nil else { return }
        query.timer?.cancel()
        for attempt in query.attempts { attempt.carrier?.forget(attempt) }
        query.attempts = []
        guard query.plan != nil else { return waiting.removeAll { $0 === query } }
        running -= 1
        beginWaiting()
    }

    private func beginWaiting() {
        while running < mostQueries, !waiting.isEmpty { begin(waiting.removeFirst()) }
    }

    private func perform(_ action: QueryPlan.Action?, _ query: Query) {
        switch action {
        case .send(let server, let overTCP, let edns, let wait):
            setTimer(query, .now() + TimeAmount(wait))
            send(query, to: server, overTCP: overTCP, edns: edns, wait: wait)
        case .wait: break
        case .finish(let error): finish(query, QueryOutcome(result: .failure(error)))
        case nil: break
        }
    }

    private func setTimer(_ query: Query, _ time: NIODeadline) {
        query.timer?.cancel()
        query.timer = loop.assumeIsolated().scheduleTask(deadline: min(time, query.deadline)) { self.timerFired(query) }
    }

    private func timerFired(_ query: Query) {
        guard NIODeadline.now() < query.deadline, query.plan != nil else {
            return finish(query, QueryOutcome(result: .failure(query.plan?.error ?? .timeout)))
        }
        if let last = query.attempts.last {
            counters.timeouts.add(1, ordering: .relaxed)
            health.failed(last.server, question: query.question, at: .now())
            (last.carrier as? TCPConnection)?.isSlow = true
        }
        // Sending again sets the timer again; with nothing left to send only the deadline remains.
        setTimer(query, query.deadline)
        perform(query.plan?.timedOut(), query)
    }

    // MARK: Sending

    private func send(
        _ query: Query,
        to server: NameServer,
        overTCP: Bool,
        edns: Bool,
        wait: Duration
    ) {
        let carrier: any AttemptCarrier = overTCP ? connection(to: server) : socket(to: server)
        guard let identifier = carrier.freeIdentifier(),
            let message = QueryMessage(
                query.question,
                identifier: identifier,
                ednsSize: edns ? health.options.ednsSize : nil
            )
        else { return perform(query.plan?.failed(server, .serverFailure), query) }
        let now = NIODeadline.now()
        let attempt = Attempt(
            query: query,
            server: server,
            message: message,
            sent: now,
            inTime: now + TimeAmount(wait)
        )
        query.attempts.append(attempt)
        if let connection = carrier as? TCPConnection {
            counters.queriesOverTCP.add(1, ordering: .relaxed)
            connection.send(attempt)
        } else if let socket = carrier as? UDPSocket {
            counters.queries.add(1, ordering: .relaxed)
            socket.send(attempt)
        }
    }

    private func socket(to server: NameServer) -> UDPSocket {
        if let socket = sockets[server] {
            if socket.isUsable { return socket }
            socket.close()
        }
        let socket = UDPSocket(to: server, transport: self)
        sockets[server] = socket
        socket.open()
        return socket
    }

    private func connection(to server: NameServer) -> TCPConnection {
        if let connection = connections[server], connection.isUsable { return connection }
        let connection = TCPConnection(to: server, transport: self)
        connections[server] = connection
        connection.open(timeout: TimeAmount(health.options.deadline))
        return connection
    }

    func forget(_ connection: TCPConnection) {
        if connections[connection.server] === connection { connections[connection.server] = nil }
    }

    // MARK: Receiving

    /// A message came that answers nothing we asked there.
    func droppedMessage() {
        counters.dropped.add(1, ordering: .relaxed)
    }

    func received(_ message: [UInt8], for attempt: Attempt, overTCP: Bool) {
        let query = attempt.query
        query.attempts.removeAll { $0 === attempt }
        let now = NIODeadline.now()
        switch ReplyMessage(message, to: query.question) {
        case .answer(let answer, let deniesName):
            let time = now <= attempt.inTime ? Duration(now - attempt.sent) : nil
            health.succeeded(attempt.server, question: query.question, after: time)
            finish(query, QueryOutcome(result: .success(answer), deniesName: deniesName))
        case .truncated where overTCP: failed(attempt, .malformed)
        case .truncated: perform(query.plan?.truncated(by: attempt.server), query)
        case .notUnderstood:
            perform(query.plan?.notUnderstood(by: attempt.server, edns: attempt.message.hasEDNS), query)
        case .failure(.aliasLoop): finish(query, QueryOutcome(result: .failure(.aliasLoop)))
        case .failure(let error): failed(attempt, error)
        }
    }

    private func failed(_ attempt: Attempt, _ error: DNSLookupError) {
        health.failed(attempt.server, question: attempt.query.question, at: .now())
        perform(attempt.query.plan?.failed(attempt.server, error), attempt.query)
    }

    /// The port of the server is closed.
    func unreachable(_ attempt: Attempt) {
        let query = attempt.query
        query.attempts.removeAll { $0 === attempt }
        health.failed(attempt.server, question: query.question, at: .now())
        guard queries[query.number] != nil else { return }
        perform(query.plan?.unreachable(attempt.server), query)
    }

    /// The connection of an attempt has gone.
    func disconnected(_ attempt: Attempt, wasReused: Bool) {
        let query = attempt.query
        query.attempts.removeAll { $0 === attempt }
        guard queries[query.number] != nil else { return }
        if wasReused {
            perform(query.plan?.disconnected(from: attempt.server), query)
        } else {
            failed(attempt, .serverFailure)
        }
    }

    // MARK: The end

    /// Takes another bound on queries, and goes by the servers that there are now.
    func update(mostQueries: Int) {
        self.mostQueries = max(1, mostQueries)
        prune()
        beginWaiting()
    }

    /// Closes the sockets of servers that are asked no more.
    private func prune() {
        let servers = health.options.servers
        for (server, socket) in sockets where !servers.contains(server) {
            socket.close()
            sockets[server] = nil
        }
        for (server, connection) in connections where !servers.contains(server) { connection.isSlow = true }
    }

    func shutdown() {
        for query in queries.values { finish(query, QueryOutcome(result: .failure(.cancelled))) }
        for socket in sockets.values { socket.close() }
        for connection in connections.values { connection.close() }
        sockets = [:]
    }
}
