public import DNSLookup
public import DNSResolver
public import NIOCore
public import PosternConfiguration

/// The source of DNS answers.
public enum ConfiguredResolver: Sendable {
    /// A zone file answers every question.
    case zone(DNSZone, path: String)
    /// Name servers answer, and a cache keeps their answers.
    case servers(ServerResolver)

    /// A change that deserves a log line.
    public enum News: Sendable {
        /// The DNS stops answering, or answers again.
        case health(ResolverHealth)
        /// Lookups begin to wait for room, or no longer wait.
        case room(RoomChange)
    }

    /// Opens the zone file or the servers that the settings name.
    ///
    /// - Parameters:
    ///   - configuration: the settings `[dns]` and the number of sessions.
    ///   - group: the event loops for the sockets.
    ///   - report: called when the DNS stops answering or answers again, and when lookups begin or cease to wait for
    ///     room.
    /// - Throws: the problem of the zone file.
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

    /// Whether answers can be expected, as far as is known.
    public var isAnswering: Bool {
        switch self {
        case .zone: true
        case .servers(let servers): servers.health != .notAnswering
        }
    }
}

extension ConfiguredResolver {
    /// What a command says when none of the name servers that it asked has answered; nil otherwise.
    public var silence: String? {
        guard case .servers(let servers) = self else { return nil }
        let asked = servers.statistics.servers
        guard asked.contains(where: { $0.queries > 0 }), asked.allSatisfy({ $0.answers == 0 }) else { return nil }
        return "no name server answers: asked \(asked.map { "\($0.server)" }.joined(separator: ", "))"
    }
}

// MARK: Life of the resolver

extension ConfiguredResolver {
    /// The servers, if they can also serve other settings without losing their cache; nil otherwise.
    func servers(for other: Configuration.DNS) -> ServerResolver? {
        guard case .servers(let servers) = self, other.zone == nil, other.cache == servers.settings else { return nil }
        return servers
    }

    /// Checks whether the servers answer, before a message needs them.
    func checkServers() {
        if case .servers(let servers) = self { servers.checkServers() }
    }

    /// Loads the answers that an earlier process saved and that are still valid.
    ///
    /// - Returns: the result in words; nil when the settings name no file, or the file does not exist yet.
    public func restore() -> String? {
        guard case .servers(let servers) = self else { return nil }
        return servers.restore()
    }

    /// Ends open queries, and saves the cache if the settings name a file for it.
    ///
    /// - Returns: why the file could not be written; nil after success.
    @discardableResult
    public func close() async -> String? {
        guard case .servers(let servers) = self else { return nil }
        return await servers.close()
    }
}
