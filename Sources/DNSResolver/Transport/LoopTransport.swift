internal import DNSLookup
internal import MailSyntax
internal import NIOCore
internal import Synchronization

/// Runs the queries of one event loop: their plans, timers, sockets and connections.
final class LoopTransport: AttemptOwner {
    let loop: any EventLoop
    private let health: ServerHealth
    private let room: SharedRoom
    private let counters: TransportCounters
    /// Starts the periodic checks.
    private let wakeUpkeep: @Sendable () -> Void

    private var queries: [UInt64: Query] = [:]
    /// The number of the next probe; probes count down from the largest number, which queries never reach.
    private var nextProbe = UInt64.max
    private var sockets: [NameServer: UDPSocket] = [:]
    private var connections: [NameServer: TCPConnection] = [:]

    init(
        loop: any EventLoop,
        health: ServerHealth,
        room: SharedRoom,
        counters: TransportCounters,
        wakeUpkeep: @escaping @Sendable () -> Void
    ) {
        self.loop = loop
        self.health = health
        self.room = room
        self.counters = counters
        self.wakeUpkeep = wakeUpkeep
    }

    var idleTimeout: TimeAmount { TimeAmount(health.options.idleTimeout) }

    // MARK: Queries

    func start(_ query: Query, demand: Demand) {
        queries[query.handle.number] = query
        let (asked, isOptional) =
            switch demand {
            case .wanted(let asked): (asked, false)
            case .ahead: (0, true)
            }
        switch room.enter(query.handle, about: query.question.name, asked: asked, isOptional: isOptional) {
        case .begins: begin(query)
        case .waits: wakeUpkeep()
        case .refused: finish(query, .noRoom)
        }
    }

    func cancel(_ handle: QueryHandle) {
        if let query = queries[handle.number] { release(query) }
    }

    /// Sends a question that had to wait for room.
    func begin(_ handle: QueryHandle) {
        if let query = queries[handle.number] { begin(query) }
    }

    /// Ends a question for which there is no room.
    func end(_ handle: QueryHandle) {
        if let query = queries[handle.number] { finish(query, .noRoom) }
    }

    private func begin(_ query: Query) {
        let now = NIODeadline.now()
        if query.deadline == .distantFuture { query.deadline = now + TimeAmount(health.options.timeout) }
        switch health.way(at: now) {
        case .nowhere(let end) where end <= now: finish(query, .noServer)
        case .nowhere(let end): setTimer(query, end)
        case .servers(let servers, let plainFirst, let probe):
            run(query, QueryPlan(servers: servers, options: health.options, plainFirst: plainFirst))
            if let probe { look(for: probe, query.question) }
        }
    }

    private func run(_ query: Query, _ plan: QueryPlan) {
        query.plan = plan
        perform(query.plan?.begin(), query)
    }

    /// Sends a question once to a server that has been left alone; the answer matters only for the server's health.
    private func look(for server: NameServer, _ question: DNSQuestion) {
        var options = health.options
        options.attempts = 1
        nextProbe -= 1
        let query = Query(handle: QueryHandle(loop: 0, number: nextProbe), question: question) { _ in }
        query.deadline = .now() + TimeAmount(options.attemptTimeout)
        queries[nextProbe] = query
        run(query, QueryPlan(servers: [server], options: options))
    }

    private func finish(_ query: Query, _ error: DNSLookupError) {
        finish(query, QueryOutcome(result: .failure(error)))
    }

    private func finish(_ query: Query, _ outcome: QueryOutcome) {
        guard queries[query.handle.number] != nil else { return }
        release(query, isAnswered: (try? outcome.result.get()) != nil)
        query.completion(outcome)
    }

    /// Frees the resources of a query, and admits other questions.
    private func release(_ query: Query, isAnswered: Bool = false) {
        queries[query.handle.number] = nil
        query.timer?.cancel()
        for attempt in query.attempts { attempt.carrier?.forget(attempt) }
        query.attempts = []
        room.leave(query.handle, isAnswered: isAnswered)
    }

    private func perform(_ action: QueryPlan.Action?, _ query: Query) {
        switch action {
        case .send(let server, let overTCP, let edns, let wait):
            setTimer(query, .now() + TimeAmount(wait))
            send(query, to: server, overTCP: overTCP, edns: edns, wait: wait)
        case .wait: break
        case .finish(let error): finish(query, error)
        case nil: break
        }
    }

    private func setTimer(_ query: Query, _ time: NIODeadline) {
        query.timer?.cancel()
        query.timer = loop.assumeIsolated().scheduleTask(deadline: min(time, query.deadline)) { self.timerFired(query) }
    }

    private func timerFired(_ query: Query) {
        let now = NIODeadline.now()
        guard now < query.deadline else { return finish(query, query.plan?.error ?? .timeout) }
        if let end = health.downUntil { return end <= now ? finish(query, .noServer) : setTimer(query, end) }
        guard query.plan != nil else { return begin(query) }
        if !query.isLate {
            query.isLate = true
            room.linger(query.handle)
        }
        if let last = query.attempts.last {
            counters.timeouts.add(1, ordering: .relaxed)
            noteFailure(last, wasHeard: false)
            last.carrier?.isSlow = true
        }
        // A new attempt sets the timer again; when no attempt is left, only the deadline remains.
        setTimer(query, query.deadline)
        perform(query.plan?.timedOut(), query)
    }

    private func noteFailure(_ attempt: Attempt, wasHeard: Bool) {
        let question = attempt.query.question
        if health.failed(attempt.server, question: question, wasHeard: wasHeard, at: .now()) { wakeUpkeep() }
    }

    /// Notes that no server answers any more: all questions end soon, unless a server comes back.
    func serversAreDown(until end: NIODeadline) {
        for query in queries.values where query.deadline != .distantFuture { setTimer(query, end) }
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
                query.current,
                identifier: identifier,
                ednsSize: edns ? health.options.ednsSize : nil
            )
        else { return finish(query, .noRoom) }
        let now = NIODeadline.now()
        health.sent(to: server, at: now)
        let attempt = Attempt(
            query: query,
            server: server,
            message: message,
            sent: now,
            inTime: now + TimeAmount(wait)
        )
        query.attempts.append(attempt)
        counters.countQuery(overTCP: overTCP)
        carrier.send(attempt)
    }

    private func socket(to server: NameServer) -> UDPSocket {
        if let socket = sockets[server] {
            if socket.isUsable { return socket }
            socket.close()
        }
        let socket = UDPSocket(to: server, of: self)
        sockets[server] = socket
        socket.open()
        return socket
    }

    private func connection(to server: NameServer) -> TCPConnection {
        if let connection = connections[server], connection.isUsable { return connection }
        let connection = TCPConnection(to: server, of: self)
        connections[server] = connection
        connection.open(timeout: TimeAmount(health.options.timeout))
        return connection
    }

    func closed(_ carrier: any AttemptCarrier) {
        if connections[carrier.server] === carrier { connections[carrier.server] = nil }
    }

    // MARK: Receiving

    func droppedMessage() {
        counters.dropped.add(1, ordering: .relaxed)
    }

    func received(_ message: [UInt8], for attempt: Attempt, overTCP: Bool) {
        let query = attempt.query
        query.attempts.removeAll { $0 === attempt }
        let now = NIODeadline.now()
        switch ReplyMessage(message, to: query.current, after: query.detour?.path) {
        case .answer(let answer, let deniesName):
            let time = now <= attempt.inTime ? Duration(now - attempt.sent) : nil
            health.succeeded(attempt.server, question: query.question, after: time)
            health.answered(
                attempt.server,
                overEDNS: attempt.message.hasEDNS,
                hasLostEDNS: query.hasUnansweredEDNS(at: attempt.server),
                at: now
            )
            let isAlias = query.detour != nil
            return finish(
                query,
                QueryOutcome(result: .success(query.answer(answer)), deniesName: deniesName && !isAlias)
            )
        case .alias(let target, let path, let timeToLive):
            health.heard(attempt.server)
            return follow(target, path, timeToLive: timeToLive, query)
        case .failure(let error) where error.isAboutAliases:
            health.heard(attempt.server)
            return finish(query, error)
        case .failure(let error): return failed(attempt, error)
        case .truncated where overTCP: return failed(attempt, .malformed)
        case .truncated:
            health.heard(attempt.server)
            perform(query.plan?.truncated(by: attempt.server), query)
        case .notUnderstood:
            health.heard(attempt.server)
            perform(query.plan?.notUnderstood(by: attempt.server, edns: attempt.message.hasEDNS), query)
        }
    }

    /// Asks about the target of an alias.
    private func follow(_ target: DomainName, _ path: AliasPath, timeToLive: UInt32, _ query: Query) {
        for attempt in query.attempts { attempt.carrier?.forget(attempt) }
        query.attempts = []
        query.detour = Detour(
            question: DNSQuestion(target, query.question.type),
            path: path,
            timeToLive: min(timeToLive, query.detour?.timeToLive ?? .max)
        )
        query.plan = nil
        begin(query)
    }

    /// Handles a server's reply that it does not answer.
    private func failed(_ attempt: Attempt, _ error: DNSLookupError) {
        noteFailure(attempt, wasHeard: true)
        perform(attempt.query.plan?.failed(attempt.server, error), attempt.query)
    }

    func unreachable(_ attempt: Attempt) {
        let query = attempt.query
        query.attempts.removeAll { $0 === attempt }
        health.closed(attempt.server, at: .now())
        wakeUpkeep()
        guard queries[query.handle.number] != nil else { return }
        perform(query.plan?.unreachable(attempt.server), query)
        if let end = health.downUntil { setTimer(query, end) }
    }

    func lackedRoom(_ attempt: Attempt) {
        attempt.query.attempts.removeAll { $0 === attempt }
        finish(attempt.query, .noRoom)
    }

    func disconnected(_ attempt: Attempt, wasReused: Bool) {
        let query = attempt.query
        query.attempts.removeAll { $0 === attempt }
        guard queries[query.handle.number] != nil else { return }
        if wasReused {
            perform(query.plan?.disconnected(from: attempt.server), query)
        } else {
            noteFailure(attempt, wasHeard: false)
            perform(query.plan?.failed(attempt.server, .serverFailure), query)
        }
    }

    // MARK: The end

    /// Closes the sockets of servers that are no longer used.
    func prune() {
        let servers = health.options.servers
        for (server, socket) in sockets where !servers.contains(server) {
            socket.close()
            sockets[server] = nil
        }
        for (server, connection) in connections where !servers.contains(server) { connection.isSlow = true }
    }

    func shutdown() {
        for query in queries.values { finish(query, .cancelled) }
        for socket in sockets.values { socket.close() }
        for connection in connections.values { connection.close() }
        sockets = [:]
    }
}
