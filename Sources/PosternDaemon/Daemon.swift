internal import DNSResolver
internal import Glibc
internal import Logging
internal import MilterServer
internal import NIOCore
internal import NIOPosix
internal import PosternConfiguration
internal import PosternSetup
internal import ServiceLifecycle
internal import UnixSignals

/// The mail filter as a process: sockets, signals, reloads.
public struct Daemon: Sendable {
    private let configurationPath: String

    /// A daemon that reads this configuration.
    public init(configurationPath: String) {
        self.configurationPath = configurationPath
    }

    /// Serves until a signal ends it: SIGTERM and SIGINT stop, SIGHUP reloads.
    ///
    /// - Parameter takingOver: whether sockets on which another process listens are taken from it.
    /// - Throws: `ConfigurationError`, or what keeps a socket from being opened.
    public func run(takingOver: Bool = false) async throws {
        Self.ignoreSignals()
        let configuration = try ConfigurationCheck.load(path: configurationPath)
        let log = MessageLog(configuration.log)
        defer { log.sink.flush() }
        let logger = Logger(label: "postern", settings: configuration.log, sink: log.sink)
        let descriptors = DescriptorBudget.raisingTheLimit()
        if let warning = descriptors.warning(for: configuration.listen) { logger.warning("\(warning)") }
        let group = MultiThreadedEventLoopGroup.singleton
        let loader = SetupLoader(path: configurationPath, group: group) { logger.log($0) }
        let filter = Filter(try loader.load(configuration, after: nil), log: log)
        if let restored = filter.setup.resolver.restore() { logger.info("\(restored)") }
        let reloader = Reloader(loader: loader, filter: filter, logger: logger)
        let milter = MilterServer(
            configuration: MilterServerConfiguration(configuration, maximumConnections: descriptors.milterConnections),
            group: group,
            logger: logger
        ) { FilterSession(filter, session: $0) }
        let router = AdminRouter(filter: filter, milter: milter, reloader: reloader)
        let admin = AdminServer.servers(configuration, descriptors, group: group, logger: logger, router: router)
        let servers = [milter as any SocketServer] + admin
        try await servers.open(takingOver: takingOver)
        var services: [any Service] = [
            HangupService(reloader: reloader), SocketWatch(files: servers.flatMap(\.files), logger: logger),
        ]
        let loops = Array(group.makeIterator()) + [CachingResolver.upkeepLoop]
        if let watchdog = Watchdog(loops: loops) { services.append(watchdog) }
        services += admin
        // The last one is stopped first, and the others when it has ended: messages in progress come before everything.
        services.append(
            MilterService(
                server: milter,
                sockets: configuration.listen.map(\.socket.description),
                limits: configuration.limits,
                logger: logger
            )
        )
        let lifecycle = ServiceGroup(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() }
        )
        try await lifecycle.run()
        if let problem = await filter.setup.resolver.close() { logger.warning("\(problem)") }
        logger.info("stopped")
    }

    /// Ignores the signals that would end the process by default and mean nothing of the kind here.
    ///
    /// A reload may be asked for before there is something to reload, a client closes its end early, a log reaches the limit
    /// on a file's size, and other daemons do something harmless at SIGUSR1.
    private static func ignoreSignals() {
        for number in [SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGXFSZ] {
            signal(number, SIG_IGN)
        }
    }
}

/// Says that the sockets are open, and when the daemon is told to stop, lets messages in progress end.
private struct MilterService: Service {
    let server: MilterServer
    let sockets: [String]
    let limits: Configuration.Limits
    let logger: Logger

    func run() async throws {
        let notification = SystemdNotification.ofThisProcess
        let addresses = sockets.joined(separator: ", ")
        logger.info("ready", metadata: ["sockets": "\(addresses)"])
        notification.send(.ready, status: "serving \(addresses)")
        try? await gracefulShutdown()
        notification.send(.stopping)
        logger.info("stopping: messages in progress may end")
        await server.drain(within: TimeAmount(limits.drainTimeout))
    }
}

/// Reloads on SIGHUP.
private struct HangupService: Service {
    let reloader: Reloader

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            // The log has what is wrong.
            _ = try? reloader.reload()
        }
    }
}

extension Logger {
    /// A logger that writes where the lines of messages go.
    fileprivate init(label: String, settings: Configuration.Log, sink: LogSink) {
        self.init(label: label) { _ in
            SinkLogHandler(
                sink: sink,
                format: settings.format,
                logLevel: Level(rawValue: settings.level.rawValue) ?? .info
            )
        }
    }
}
