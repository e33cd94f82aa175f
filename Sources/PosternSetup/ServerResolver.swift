public import DNSLookup
public import DNSResolver
internal import Glibc
internal import MailSyntax
internal import NIOCore
internal import PosternConfiguration

/// Name servers behind a cache.
///
/// The resolver is shut down when nothing refers to it any more: no configuration, and no message that is judged by
/// one.
public final class ServerResolver: DNSResolving {
    /// The settings of the cache; they do not change.
    let settings: Configuration.DNS.Cache
    private let caching: CachingResolver

    /// Opens the servers that a configuration names.
    init(
        _ configuration: Configuration,
        group: any EventLoopGroup,
        report: @escaping @Sendable (ConfiguredResolver.News) -> Void
    ) {
        settings = configuration.dns.cache
        caching = CachingResolver(
            ResolverOptions(configuration),
            cache: settings.options,
            eventLoopGroup: group,
            onHealthChange: { report(.health($0)) },
            onRoomChange: { report(.room($0)) }
        )
    }

    deinit {
        // Sockets must be closed on their event loops, and the cache is freed on a thread without an event loop.
        Task.detached { [caching] in await caching.shutdown() }
    }

    /// Looks a question up.
    public func lookUp(_ question: DNSQuestion) async -> DNSReply { await caching.lookUp(question) }

    /// Looks a question up on behalf of a message.
    public func lookUp(_ question: DNSQuestion, for asker: (any DNSAsker)?) async -> DNSReply {
        await caching.lookUp(question, for: asker)
    }

    /// Starts a lookup; `answered` is called with its reply.
    public func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> OpenLookup { caching.ask(question, for: asker, answered: answered) }

    /// The answer in the cache, without a wait.
    public func answerAtHand(_ question: DNSQuestion) -> DNSReply? { caching.answerAtHand(question) }
}

extension ServerResolver {
    /// The counters, and the state of the servers.
    public var statistics: ResolverStatistics { caching.statistics }

    /// Whether the servers answer, as far as is known.
    var health: ResolverHealth { caching.health }

    /// Takes the servers and times of another configuration, which this resolver then serves.
    func update(_ configuration: Configuration) {
        caching.update(ResolverOptions(configuration))
        caching.checkServers()
    }

    /// Checks whether the servers answer, before a message needs them.
    func checkServers() { caching.checkServers() }

    /// See `ConfiguredResolver.restore()`.
    func restore() -> String? {
        guard let path = settings.snapshot, unsafe access(path, F_OK) == 0 else { return nil }
        do {
            return
                "\(path): \(Counted.words(try caching.loadSnapshot(from: path, at: Clock.now.seconds), "answer")) taken over"
        } catch {
            return "\(path) \(error): the DNS cache begins empty"
        }
    }

    /// See `ConfiguredResolver.close()`.
    func close() async -> String? {
        await caching.shutdown()
        guard let path = settings.snapshot else { return nil }
        do {
            try caching.saveSnapshot(to: path, at: Clock.now.seconds)
            return nil
        } catch {
            return "\(path) \(error): the DNS cache is not kept"
        }
    }
}
