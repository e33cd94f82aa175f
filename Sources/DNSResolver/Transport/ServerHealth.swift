internal import DNSLookup
internal import MailSyntax
internal import NIOCore
internal import Synchronization

/// Whether the DNS as a whole answers.
public enum ResolverHealth: Hashable, Sendable {
    /// Questions are answered.
    case answering
    /// Unrelated names have failed at every server, and none has been answered since.
    case notAnswering
}

/// What is known about one server.
public struct ServerStatistics: Hashable, Sendable {
    /// The server.
    public let server: NameServer
    /// Whether it is left alone for a while because it does not answer.
    public let isHeld: Bool
    /// The smoothed time from question to answer; nil before the first.
    public let roundTrip: Duration?
    /// How many replies of it have been useful.
    public let answers: Int
    /// How often it has not answered in time, or not usefully.
    public let failures: Int
}

/// Remembers which servers answer; shared by all loops.
final class ServerHealth: Sendable {
    /// How many unrelated names in a row have to fail before it is the server's fault.
    ///
    /// Whoever sends mail chooses names, and can choose one that nobody answers for.
    private static let unrelatedFailures = 5
    private static let mostDoublings = 4

    private struct Server {
        var failedNames: Set<DomainName> = []
        var heldUntil: NIODeadline?
        var doublings = 0
        var roundTrip: Duration?
        var answers = 0
        var failures = 0
    }

    private struct State {
        var options: ResolverOptions
        var servers: [NameServer: Server]
        var health = ResolverHealth.answering
    }

    private let state: Mutex<State>
    private let onChange: @Sendable (ResolverHealth) -> Void

    init(_ options: ResolverOptions, onChange: @escaping @Sendable (ResolverHealth) -> Void) {
        state = Mutex(State(options: options, servers: [:]))
        self.onChange = onChange
    }

    var options: ResolverOptions { state.withLock { $0.options } }

    /// Takes other servers or times; what is known about servers that stay is kept.
    func update(_ options: ResolverOptions) {
        state.withLock { state in
            state.options = options
            state.servers = state.servers.filter { options.servers.contains($0.key) }
        }
    }

    /// The servers for a question, best first, and one that should be tried again beside them.
    func order(at now: NIODeadline) -> (servers: [NameServer], probe: NameServer?) {
        state.withLock { state in
            let held = state.options.servers.filter { state.servers[$0]?.heldUntil != nil }
            guard !held.isEmpty, held.count < state.options.servers.count else { return (state.options.servers, nil) }
            let probe = held.first { server in state.servers[server]?.heldUntil.map { $0 <= now } ?? false }
            if let probe { Self.hold(&state.servers[probe, default: Server()], state.options, now) }
            return (state.options.servers.filter { !held.contains($0) } + held, probe)
        }
    }

    private static func hold(_ server: inout Server, _ options: ResolverOptions, _ now: NIODeadline) {
        server.heldUntil = now + TimeAmount(options.hold * (1 << server.doublings))
        server.doublings = min(server.doublings + 1, mostDoublings)
    }

    /// A server has answered; nil for `time` when it took longer than the question was to wait.
    func succeeded(_ name: NameServer, question: DNSQuestion, after time: Duration?) {
        let isBack = state.withLock { state in
            var server = state.servers[name] ?? Server()
            server.answers += 1
            if let time {
                server.failedNames = []
                server.heldUntil = nil
                server.doublings = 0
                server.roundTrip = server.roundTrip.map { $0 + (time - $0) / 8 } ?? time
            } else {
                // The name took long, but it has not failed.
                server.failedNames.remove(question.name.suffix(2))
            }
            state.servers[name] = server
            defer { state.health = .answering }
            return state.health == .notAnswering
        }
        if isBack { onChange(.answering) }
    }

    /// A server has not answered in time, or has said that it cannot.
    func failed(_ name: NameServer, question: DNSQuestion, at now: NIODeadline) {
        let isGone = state.withLock { state in
            guard state.options.servers.contains(name) else { return false }
            var server = state.servers[name] ?? Server()
            server.failures += 1
            if server.failedNames.count < Self.unrelatedFailures { server.failedNames.insert(question.name.suffix(2)) }
            if server.failedNames.count >= Self.unrelatedFailures, server.heldUntil == nil {
                Self.hold(&server, state.options, now)
            }
            state.servers[name] = server
            guard state.health == .answering,
                state.options.servers.allSatisfy({ state.servers[$0]?.heldUntil != nil })
            else { return false }
            state.health = .notAnswering
            return true
        }
        if isGone { onChange(.notAnswering) }
    }

    /// Whether the DNS answers, and how each server does.
    var statistics: (health: ResolverHealth, servers: [ServerStatistics]) {
        state.withLock { state in
            let servers = state.options.servers.map { name in
                let server = state.servers[name] ?? Server()
                return ServerStatistics(
                    server: name,
                    isHeld: server.heldUntil != nil,
                    roundTrip: server.roundTrip,
                    answers: server.answers,
                    failures: server.failures
                )
            }
            return (state.health, servers)
        }
    }
}
