public import DNSLookup
internal import MailSyntax
public import NIOCore
public import NIOPosix
internal import Synchronization

/// Answers questions from a cache, and asks name servers for answers that are not in the cache.
///
/// Lookups of the same question at the same time share one query.
public final class CachingResolver: DNSResolving, Sendable {
    /// Reads a monotonic clock.
    public typealias Clock = @Sendable () -> ContinuousClock.Instant

    /// The loop, outside the group, that all resolvers of the process share.
    ///
    /// It probes silent servers and ends lookups that wait too long. A watchdog of the process's loops must watch this
    /// loop too.
    public static var upkeepLoop: any EventLoop { Upkeep.sharedLoop }

    let cache: AnswerCache
    let now: Clock
    let network: NetworkTransport?
    let lookupTimes = DurationHistogram()
    private let transport: any QueryTransport
    private let options: CacheOptions
    private let group: any EventLoopGroup
    private let outages: Outages
    private let numbers = Atomic<UInt64>(0)
    private let isShutDown = Atomic(false)

    /// Counts how often the DNS has recovered; failures from before a recovery no longer count.
    final class Outages: Sendable {
        let ended = Atomic(0)
    }

    /// A resolver that asks the servers in `options`.
    ///
    /// - Parameters:
    ///   - options: the servers and their timeouts.
    ///   - cache: the limits of the cache, on its size and on the age of answers.
    ///   - eventLoopGroup: the loops on which questions are asked.
    ///   - now: the clock that measures the age of answers.
    ///   - onHealthChange: called on an event loop, once when the DNS stops answering and once when it answers again.
    ///   - onRoomChange: called once when lookups begin to wait for room, and once when they no longer wait.
    public convenience init(
        _ options: ResolverOptions,
        cache: CacheOptions = CacheOptions(),
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        now: @escaping Clock = { .now },
        onHealthChange: @escaping @Sendable (ResolverHealth) -> Void = { _ in },
        onRoomChange: @escaping @Sendable (RoomChange) -> Void = { _ in }
    ) {
        let outages = Outages()
        let health = ServerHealth(options) { health in
            if health == .answering { outages.ended.add(1, ordering: .relaxed) }
            onHealthChange(health)
        }
        let network = NetworkTransport(options, group: eventLoopGroup, health: health, onRoomChange: onRoomChange)
        self.init(network, network: network, cache: cache, group: eventLoopGroup, outages: outages, now: now)
    }

    init(
        _ transport: any QueryTransport,
        network: NetworkTransport? = nil,
        cache options: CacheOptions,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        outages: Outages = Outages(),
        now: @escaping Clock
    ) {
        self.transport = transport
        self.network = network
        self.options = options
        self.group = group
        self.outages = outages
        self.now = now
        cache = AnswerCache(options)
    }

    /// Changes servers and times; the cache keeps its contents.
    public func update(_ options: ResolverOptions) {
        network?.update(options)
    }

    /// Checks whether the servers answer, before a lookup needs them.
    public func checkServers() { network?.check() }

    /// Ends all queries with `.cancelled` and closes all sockets; later lookups are answered only from the cache.
    public func shutdown() async {
        isShutDown.store(true, ordering: .relaxed)
        await network?.shutdown()
    }

    /// The most memory for answers, and so the greatest length of a snapshot.
    var maximumOctets: Int { options.maximumBytes }

    // MARK: Lookups

    /// Answers from the cache, or asks the servers.
    public func lookUp(_ question: DNSQuestion) async -> DNSReply { await lookUp(question, for: nil) }

    /// Answers from the cache, or asks the servers; all askers share the room for questions.
    public func lookUp(_ question: DNSQuestion, for asker: (any DNSAsker)?) async -> DNSReply {
        if let reply = answerAtHand(question) { return reply }
        let key = CacheKey(question)
        let number = numbers.add(1, ordering: .relaxed).newValue
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                join(question, key, Waiter(number: number) { continuation.resume(returning: $0) }, asker)
                // The task may have been cancelled before it joined.
                if Task.isCancelled { leave(key, number) }
            }
        } onCancel: {
            leave(key, number)
        }
    }

    /// Answers at once from the cache, or later when the servers have answered.
    public func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> OpenLookup {
        if let reply = answerAtHand(question) {
            answered(reply)
            return OpenLookup {}
        }
        let key = CacheKey(question)
        let number = numbers.add(1, ordering: .relaxed).newValue
        join(question, key, Waiter(number: number, answered: answered), asker)
        return OpenLookup { self.leave(key, number) }
    }

    /// Answers from the cache; nil when the answer requires a question to the servers.
    public func answerAtHand(_ question: DNSQuestion) -> DNSReply? {
        let key = CacheKey(question)
        let time = now()
        let epoch = outages.ended.load(ordering: .relaxed)
        switch cache.with(key, { shard in shard.find(key, at: time, epoch: epoch) }) {
        case .answer(let answer, let refresh):
            if refresh { fetchAhead(question, key) }
            return DNSReply(.success(answer), source: .cache)
        case .stale(let answer): return DNSReply(.success(answer), source: .stale)
        case .failure(let error): return DNSReply(.failure(error), source: .cache)
        case .nothing: return denial(of: question, at: time)
        }
    }

    /// RFC 8020 § 2: if a name does not exist, no name below it exists.
    private func denial(of question: DNSQuestion, at time: ContinuousClock.Instant) -> DNSReply? {
        var ancestor: DomainName? = question.name
        while let name = ancestor, !name.wire.isEmpty {
            let key = CacheKey(name, nil)
            if case .answer(let known, _) = cache.with(key, { shard in shard.find(key, at: time, epoch: 0) }) {
                guard known.question != question else { return DNSReply(.success(known), source: .cache) }
                let answer = DNSAnswer(question, negative: .noSuchName, timeToLive: known.timeToLive)
                return DNSReply(.success(answer), source: .cache)
            }
            ancestor = name.parent
        }
        return nil
    }

    // MARK: Queries

    /// Adds a waiter for an answer, and sends the question if nobody waited before.
    private func join(_ question: DNSQuestion, _ key: CacheKey, _ waiter: Waiter, _ asker: (any DNSAsker)?) {
        let time = now()
        let epoch = outages.ended.load(ordering: .relaxed)
        let isShutDown = isShutDown.load(ordering: .relaxed)
        let (joining, hasStale) = cache.with(key) { shard -> (Flights.Joining, hasStale: Bool) in
            let stale: DNSAnswer?
            // The answer may have arrived after the first look.
            switch shard.find(key, at: time, epoch: epoch) {
            case .answer(let answer, _): return (.answered(DNSReply(.success(answer), source: .cache)), false)
            case .stale(let answer): return (.answered(DNSReply(.success(answer), source: .stale)), false)
            case .failure(let error): return (.answered(DNSReply(.failure(error), source: .cache)), false)
            case .nothing(let expired): stale = expired
            }
            guard !isShutDown else { return (.answered(DNSReply(.failure(.cancelled), source: .cache)), false) }
            return (shard.flights.join(key, waiter, asked: asker?.questionCount ?? 0, stale: stale), stale != nil)
        }
        switch joining {
        case .answered(let reply): return waiter.answered(reply)
        case .waits(let handle):
            if let handle { transport.join(handle, asked: asker?.questionCount ?? 0) }
        case .starts:
            start(question, key, waiter.number, .wanted(asked: asker?.countQuestion() ?? 0))
            if hasStale { startStaleTimer(key, waiter.number) }
        }
    }

    /// Removes a waiter; when the last waiter leaves, the query is cancelled.
    private func leave(_ key: CacheKey, _ number: UInt64) {
        guard let leaving = cache.with(key, { shard in shard.flights.leave(key, number) }) else { return }
        // A waiter that gives up while its question could not be sent has no other reason for its missing answer.
        let isWaiting = leaving.handle.map { transport.isWaiting($0) } ?? false
        if leaving.isLast, let handle = leaving.handle { transport.cancel(handle) }
        leaving.waiter.answered(DNSReply(.failure(isWaiting ? .noRoom : .cancelled), source: .server))
    }

    /// Sends a question without a waiter, because its answer is in demand and expires soon.
    private func fetchAhead(_ question: DNSQuestion, _ key: CacheKey) {
        guard !isShutDown.load(ordering: .relaxed) else { return }
        let number = numbers.add(1, ordering: .relaxed).newValue
        if cache.with(key, { shard in shard.flights.fetchAhead(key, number) }) { start(question, key, number, .ahead) }
    }

    private func start(_ question: DNSQuestion, _ key: CacheKey, _ number: UInt64, _ demand: Demand) {
        let began = now()
        let handle = transport.start(question, for: demand) { self.complete(question, key, number, $0, since: began) }
        if !cache.with(key, { shard in shard.flights.note(handle, key, number) }) { transport.cancel(handle) }
    }

    private func complete(
        _ question: DNSQuestion,
        _ key: CacheKey,
        _ number: UInt64,
        _ outcome: QueryOutcome,
        since began: ContinuousClock.Instant
    ) {
        let time = now()
        lookupTimes.count(time - began)
        if outcome.deniesName, case .success(let answer) = outcome.result {
            let denial = CacheKey(key.name, nil)
            cache.with(denial) { shard in shard.store(answer, for: denial, at: time) }
        }
        let epoch = outages.ended.load(ordering: .relaxed)
        let landing = cache.with(key) { shard in
            let landing = shard.flights.land(key, number, lacksRoom: outcome.lacksRoom)
            if case .landed = landing { shard.store(outcome, for: key, at: time, epoch: epoch) }
            return landing
        }
        switch landing {
        case .unknown: break
        case .again(let number, let asked): start(question, key, number, .wanted(asked: asked))
        case .landed(let waiters, let stale): answer(waiters, outcome, stale: stale, first: number)
        }
    }

    private func answer(_ waiters: Waiters, _ outcome: QueryOutcome, stale: DNSAnswer?, first: UInt64) {
        for waiter in waiters.all {
            if case .failure = outcome.result, let stale {
                waiter.answered(DNSReply(.success(stale), source: .stale))
            } else {
                waiter.answered(DNSReply(outcome.result, source: waiter.number == first ? .server : .joined))
            }
        }
    }

    /// RFC 8767 § 5: after a while the waiters get the stale answer, and the query continues.
    private func startStaleTimer(_ key: CacheKey, _ number: UInt64) {
        group.any().scheduleTask(in: TimeAmount(options.staleResponseTime)) {
            guard let served = self.cache.with(key, { shard in shard.flights.serveStale(key, number) }) else { return }
            for waiter in served.waiters.all {
                waiter.answered(DNSReply(.success(served.answer), source: .stale))
            }
        }
    }
}
