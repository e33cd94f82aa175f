public import NIOCore
public import PosternConfiguration

/// Reads configurations, and completes them with the files that they name.
public struct SetupLoader: Sendable {
    /// The path of the file.
    public let path: String
    private let group: any EventLoopGroup
    private let report: @Sendable (ConfiguredResolver.News) -> Void

    /// A loader of a file.
    ///
    /// - Parameters:
    ///   - path: the file's path.
    ///   - group: the event loops that lookups live on.
    ///   - report: told when the DNS stops answering or is back, and when lookups begin or cease to wait for room.
    public init(path: String, group: any EventLoopGroup, report: @escaping @Sendable (ConfiguredResolver.News) -> Void)
    {
        self.path = path
        self.group = group
        self.report = report
    }

    /// Reads the file, its keys and its lists, and reuses the cache of the previous setup where possible.
    public func load(after previous: Setup) throws(ConfigurationError) -> Setup {
        try load(ConfigurationCheck.load(path: path), after: previous)
    }

    /// Completes a configuration that has been read.
    public func load(_ configuration: Configuration, after previous: Setup?) throws(ConfigurationError) -> Setup {
        if let previous, let servers = previous.resolver.servers(for: configuration.dns) {
            let setup = try Setup(configuration, resolver: previous.resolver)
            servers.update(configuration)
            return setup
        }
        let resolver = try ConfiguredResolver(configuration, group: group, report: report)
        resolver.checkServers()
        return try Setup(configuration, resolver: resolver)
    }
}
