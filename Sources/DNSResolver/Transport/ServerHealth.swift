internal import DNSLookup
internal import MailSyntax
internal import NIOCore
internal import Synchronization

/// Whether the DNS as a whole answers.
public enum ResolverHealth: Hashable, Sendable {
    /// No question has been sent yet, or too recently to tell.
    case unknown
    /// At least one server answers.
    case answering
    /// Every server is down, or would not answer even our own probe.
    case notAnswering
}

/// The statistics of one server.
public struct ServerStatistics: Hashable, Sendable {
    /// The server.
    public let server: NameServer
    /// Whether the server gets no questions for a while, because it does not answer.
    public let isHeld: Bool
    /// Whether the server sends nothing at all.
    public let isDown: Bool
    /// Whether the server replies, but with a refusal or a failure even to our own probe.
    public let isFailing: Bool
    /// The smoothed round-trip time; nil before the first reply.
    public let roundTrip: Duration?
    /// How many queries the server was sent.
    public let queries: Int
    /// How many useful replies the server has sent.
    public let answers: Int
    /// How often the server sent no reply in time, or no useful reply.
    public let failures: Int
    /// How many failures there have been since the last useful reply.
    public let failuresInARow: Int
}

/// Remembers which servers answer; shared by all loops.
final class ServerHealth: Sendable {
    /// The servers for a question.
    enum Way: Equatable {
        /// These servers, best first, some of them first without EDNS; and one server that should be tried again beside
        /// them.
        case servers([NameServer], plainFirst: Set<NameServer>, probe: NameServer?)
        /// No server answers; the question waits until this time for one of them to come back.
        case nowhere(until: NIODeadline)
    }

    /// How many unrelated names must fail in a row before other servers are asked first.
    ///
    /// Senders of mail choose names, and can choose a name that nobody answers for.
    private static let unrelatedFailures = 5
    private static let mostDoublings = 4
    /// How many replies in a row must come only without EDNS before the server is asked without EDNS.
    private static let mostLostEDNS = 3
    /// How long a server is asked without EDNS.
    private static let plainTime = TimeAmount.minutes(10)
    /// How long a question waits for a server that has just gone, because the server may be restarting.
    private static let returnTime = TimeAmount.milliseconds(500)

    private struct Server {
        var watch = ServerWatch()
        var failedNames: Set<DomainName> = []
        var heldUntil: NIODeadline?
        var doublings = 0
        var roundTrip: Duration?
        var queries = 0
        var answers = 0
        var failures = 0
        /// How often in a row a reply came only after EDNS was left out.
        var lostEDNS = 0
        var plainUntil: NIODeadline?
    }

    private struct State {
        var options: ResolverOptions
        var servers: [NameServer: Server]
        var health = ResolverHealth.unknown

        func plainFirst(at now: NIODeadline) -> Set<NameServer> {
            guard servers.values.contains(where: { $0.plainUntil != nil }) else { return [] }
            return Set(options.servers.filter { (servers[$0]?.plainUntil).map { now < $0 } ?? false })
        }

        /// Until when questions wait for a server to come back; nil when a server answers.
        var downUntil: NIODeadline? {
            var latest: NIODeadline?
            for name in options.servers {
                guard let down = servers[name]?.watch.downSince else { return nil }
                latest = max(latest ?? down, down)
            }
            return latest.map { $0 + ServerHealth.returnTime }
        }

        var currentHealth: ResolverHealth {
            var health = ResolverHealth.notAnswering
            for name in options.servers {
                guard let watch = servers[name]?.watch else { return .unknown }
                guard watch.downSince == nil, !watch.isFailing else { continue }
                if watch.hasAnswered { return .answering }
                health = .unknown
            }
            return health
        }
    }

    private let state: Mutex<State>
    private let onChange: @Sendable (ResolverHealth) -> Void

    init(_ options: ResolverOptions, onChange: @escaping @Sendable (ResolverHealth) -> Void) {
        state = Mutex(State(options: options, servers: [:]))
        self.onChange = onChange
    }

    var options: ResolverOptions { state.withLock { $0.options } }

    /// Changes servers and times; the data about remaining servers is kept.
    func update(_ options: ResolverOptions) {
        change { state in
            state.options = options
            state.servers = state.servers.filter { options.servers.contains($0.key) }
        }
    }

    /// Until when questions wait for a server to come back; nil when a server answers.
    var downUntil: NIODeadline? { state.withLock { $0.downUntil } }

    /// The servers for a question.
    func way(at now: NIODeadline) -> Way {
        state.withLock { state in
            if let downUntil = state.downUntil { return .nowhere(until: downUntil) }
            let up = state.options.servers.filter { state.servers[$0]?.watch.downSince == nil }
            let held = up.filter { state.servers[$0]?.heldUntil != nil }
            let plain = state.plainFirst(at: now)
            guard !held.isEmpty, held.count < up.count else { return .servers(up, plainFirst: plain, probe: nil) }
            let probe = held.first { server in state.servers[server]?.heldUntil.map { $0 <= now } ?? false }
            if let probe { Self.hold(&state.servers[probe, default: Server()], state.options, now) }
            return .servers(up.filter { !held.contains($0) } + held, plainFirst: plain, probe: probe)
        }
    }

    private static func hold(_ server: inout Server, _ options: ResolverOptions, _ now: NIODeadline) {
        server.heldUntil = now + TimeAmount(options.hold * (1 << server.doublings))
        server.doublings = min(server.doublings + 1, mostDoublings)
    }
}

// MARK: Events

extension ServerHealth {
    /// Requests a check of all servers.
    func check() {
        state.withLock { state in
            for name in state.options.servers { state.servers[name, default: Server()].watch.check() }
        }
    }

    /// Notes that a question was sent to a server.
    func sent(to name: NameServer, at now: NIODeadline) {
        state.withLock { state in
            state.servers[name, default: Server()].queries += 1
            state.servers[name]?.watch.sent(at: now)
        }
    }

    /// Notes an answer of a server; `time` is nil when it came after the question's wait.
    func succeeded(_ name: NameServer, question: DNSQuestion, after time: Duration?) {
        changeServer(name) { server in
            server.answers += 1
            server.watch.answered()
            if let time {
                server.failedNames = []
                server.heldUntil = nil
                server.doublings = 0
                server.roundTrip = server.roundTrip.map { $0 + (time - $0) / 8 } ?? time
            } else {
                // The name was slow, but it did not fail.
                server.failedNames.remove(question.name.suffix(2))
            }
        }
    }

    /// Notes that a server answered with EDNS, or without EDNS while a query with EDNS got no reply.
    func answered(_ name: NameServer, overEDNS: Bool, hasLostEDNS: Bool, at now: NIODeadline) {
        guard overEDNS || hasLostEDNS else { return }
        changeServer(name) { server in
            server.lostEDNS = overEDNS ? 0 : server.lostEDNS + 1
            if overEDNS { server.plainUntil = nil }
            if server.lostEDNS >= Self.mostLostEDNS { server.plainUntil = now + Self.plainTime }
        }
    }

    /// Notes that a server could not answer, or did not reply in time.
    ///
    /// - Returns: whether the server should be watched.
    func failed(_ name: NameServer, question: DNSQuestion, wasHeard: Bool, at now: NIODeadline) -> Bool {
        changeServer(name) { [options] server in
            server.failures += 1
            if wasHeard { server.watch.heard() }
            server.watch.failed()
            if server.failedNames.count < Self.unrelatedFailures { server.failedNames.insert(question.name.suffix(2)) }
            if server.failedNames.count >= Self.unrelatedFailures, server.heldUntil == nil {
                Self.hold(&server, options, now)
            }
        }
    }

    /// Notes a reply that is not useful yet.
    func heard(_ name: NameServer) {
        changeServer(name) { $0.watch.heard() }
    }

    /// Notes that a server's port is closed.
    func closed(_ name: NameServer, at now: NIODeadline) {
        changeServer(name) { server in
            server.failures += 1
            server.watch.closed(at: now)
        }
    }

    /// Notes a server's reply to our probe.
    func probeReplied(_ name: NameServer, isUseful: Bool) {
        changeServer(name) { $0.watch.probeReplied(isUseful: isUseful) }
    }

    /// Notes that time has passed.
    ///
    /// - Returns: the servers to probe, and whether the periodic checks must continue.
    func tick(at now: NIODeadline) -> (probes: [NameServer], isSuspicious: Bool) {
        change { state in
            var probes = [NameServer]()
            for name in state.options.servers where state.servers[name]?.watch.tick(at: now) ?? false {
                probes.append(name)
            }
            return (probes, state.servers.values.contains { $0.watch.isSuspicious })
        }
    }

    @discardableResult
    private func changeServer(_ name: NameServer, _ body: (inout Server) -> Void) -> Bool {
        change { state in
            guard state.options.servers.contains(name) else { return false }
            body(&state.servers[name, default: Server()])
            return state.servers[name]?.watch.isSuspicious ?? false
        }
    }

    private func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let (result, change) = state.withLock { state in
            let result = body(&state)
            let health = state.currentHealth
            // The last known health holds until there is evidence of another.
            guard health != state.health, health != .unknown else { return (result, ResolverHealth?.none) }
            defer { state.health = health }
            return (result, state.health == .unknown && health == .answering ? nil : health)
        }
        if let change { onChange(change) }
        return result
    }
}

extension ServerHealth {
    /// The health of the DNS as a whole, and of each server.
    var statistics: (health: ResolverHealth, servers: [ServerStatistics]) {
        state.withLock { state in
            let servers = state.options.servers.map { name in
                let server = state.servers[name] ?? Server()
                return ServerStatistics(
                    server: name,
                    isHeld: server.heldUntil != nil,
                    isDown: server.watch.downSince != nil,
                    isFailing: server.watch.isFailing,
                    roundTrip: server.roundTrip,
                    queries: server.queries,
                    answers: server.answers,
                    failures: server.failures,
                    failuresInARow: server.watch.failuresInARow
                )
            }
            return (state.health, servers)
        }
    }
}
