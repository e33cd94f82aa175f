public import DNSLookup
public import DNSResolver
public import NIOCore
public import PosternConfiguration

/// Where answers come from.
public enum ConfiguredResolver: Sendable {
    /// A zone file answers every question.
    case zone(DNSZone, path: String)
    /// Name servers answer, behind a cache.
    case servers(ServerResolver)

    /// What is worth a line in the log.
    public enum News: Sendable {
        /// The DNS stops answering, or is back.
        case health(ResolverHealth)
        /// Lookups begin or cease to wait for room.
        case room(RoomChange)
    }

    /// Opens what the settings name.
    ///
    /// - Parameters:
    ///   - configuration: its `[dns]`, and how many sessions there may be.
    ///   - group: the event loops that sockets live on.
    ///   - report: called when the DNS stops answering or is back, and when lookups begin or cease to wait for room.
    /// - Throws: what is wrong with the zone file.
    public init(
        _ configuration: Configuration,
        group: any EventLoopGroup,
        report: @escaping @Sendable (News) -> Void = { _ in }
    ) throws(ConfigurationError) {
        if let path = configuration.dns.zone {
            self = .zone(try Self.loadZone(path), path: path)
        } else {
            self = .servers(ServerResolver(configuration, group: group, report: report))
        }
    }

    private static func loadZone(_ path: String) throws(ConfigurationError) -> DNSZone {
        do {
            return try ZoneFile.load(path: path)
        } catch {
            let problem = ConfigurationProblem(
                file: error.path,
                line: error.line ?? 0,
                column: 0,
                key: "dns.zone",
                message: error.reason
            )
            throw ConfigurationError(problems: [problem])
        }
    }

    /// Answers questions.
    public var dns: any DNSResolving {
        switch self {
        case .zone(let zone, _): zone
        case .servers(let servers): servers
        }
    }

    /// Whether there is an answer to be had at all, as far as is known.
    public var isAnswering: Bool {
        switch self {
        case .zone: true
        case .servers(let servers): servers.health != .notAnswering
        }
    }
}

// MARK: Its life

extension ConfiguredResolver {
    /// The servers that serve other settings as well without losing their cache; nil where there are none.
    func servers(for other: Configuration.DNS) -> ServerResolver? {
        guard case .servers(let servers) = self, other.zone == nil, other.cache == servers.settings else { return nil }
        return servers
    }

    /// Finds out whether the servers are there, before a message asks.
    func checkServers() {
        if case .servers(let servers) = self { servers.checkServers() }
    }

    /// Takes the answers that an earlier process kept and that are still good.
    ///
    /// - Returns: what came of it, in words; nil when the settings name no file, or there is none yet.
    public func restore() -> String? {
        guard case .servers(let servers) = self else { return nil }
        return servers.restore()
    }

    /// Ends open queries, and keeps the cache in a file where the settings name one.
    ///
    /// - Returns: why the file could not be written; nil when nothing went wrong.
    @discardableResult
    public func close() async -> String? {
        guard case .servers(let servers) = self else { return nil }
        return await servers.close()
    }
}
