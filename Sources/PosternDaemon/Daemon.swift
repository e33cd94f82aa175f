internal import DNSResolver
internal import Glibc
internal import Logging
internal import MilterServer
internal import NIOCore
internal import NIOPosix
internal import PosternConfiguration
internal import PosternSetup
internal import ServiceLifecycle
internal import ServiceManager
internal import UnixSignals

/// The mail filter as a process: sockets, signals, reloads.
public struct Daemon: Sendable {
    private let configurationPath: String

    /// A daemon that reads this configuration.
    public init(configurationPath: String) {
        self.configurationPath = configurationPath
    }

    /// Serves until a signal ends it: SIGTERM and SIGINT stop the daemon, SIGHUP reloads the configuration.
    ///
    /// - Parameter takingOver: whether to take over sockets on which another process listens.
    /// - Throws: `ConfigurationError`, or the reason why a socket cannot be opened.
    public func run(takingOver: Bool = false) async throws {
        Self.ignoreSignals()
        let configuration = try ConfigurationCheck.load(path: configurationPath)
        configuration.log.noteForTerminal()
        let log = MessageLog(configuration.log)
        defer { log.sink.flush() }
        let logger = Logger(label: "postern", settings: configuration.log, sink: log.sink)
        let descriptors = DescriptorBudget.raisingTheLimit()
        if let warning = descriptors.warning(for: configuration.listen) { logger.warning("\(warning)") }
        let group = MultiThreadedEventLoopGroup.singleton
        let loader = SetupLoader(path: configurationPath, group: group) { logger.log($0) }
        let events = EventLog { logger.log(level: $0, "\($1)") }
        events.begin(EventLog.Settings(configuration))
        let filter = Filter(try loader.load(configuration, after: nil), log: log, events: events)
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
            HangupService(signals: await UnixSignalsSequence(trapping: .sighup), reloader: reloader),
            SocketWatch(files: servers.flatMap(\.files), logger: logger),
            router.rate,
        ]
        let loops = Array(group.makeIterator()) + [CachingResolver.upkeepLoop]
        if let watchdog = Watchdog(loops: loops) { services.append(watchdog) }
        services += admin
        // The last service is stopped first, and the others after it has ended: messages in progress come first.
        services.append(
            MilterService(
                server: milter,
                sockets: configuration.listen.map(\.socket.description),
                limits: configuration.limits,
                logger: logger,
                isReady: { events.speak() }
            )
        )
        let lifecycle = ServiceGroup(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() }
        )
        try await lifecycle.run()
        events.close()
        if let problem = await filter.setup.resolver.close() { logger.warning("\(problem)") }
        logger.info("stopped")
    }

    /// Ignores signals that would end the process by default but are harmless for a daemon.
    ///
    /// A reload may be requested before there is a configuration to reload, a client may close its end early, a log
    /// file may reach the size limit for files, and other daemons use SIGUSR1 for harmless actions.
    private static func ignoreSignals() {
        for number in [SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGXFSZ] {
            signal(number, SIG_IGN)
        }
    }
}

/// Reports that the sockets are open; when the daemon must stop, lets messages in progress finish.
private struct MilterService: Service {
    let server: MilterServer
    let sockets: [String]
    let limits: Configuration.Limits
    let logger: Logger
    /// Called when the sockets are open.
    let isReady: @Sendable () -> Void

    func run() async throws {
        let notification = SystemdNotification.ofThisProcess
        let addresses = sockets.joined(separator: ", ")
        logger.info("ready", metadata: ["sockets": "\(addresses)"])
        notification.send(.ready, status: "serving \(addresses)")
        isReady()
        try? await gracefulShutdown()
        notification.send(.stopping)
        logger.info("stopping: messages in progress may end")
        await server.drain(within: TimeAmount(limits.drainTimeout))
    }
}

/// Reloads on SIGHUP.
private struct HangupService: Service {
    /// Trapped before anybody is told that we are ready: a signal that comes at once is not lost.
    let signals: UnixSignalsSequence
    let reloader: Reloader

    func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() {
            // The log contains the problems.
            _ = try? reloader.reload()
        }
    }
}

extension Logger {
    /// A logger that writes to the destination of the lines about messages.
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

extension Configuration.Log {
    /// Says to somebody who starts the daemon by hand where its log goes, when it does not go there.
    fileprivate func noteForTerminal() {
        guard destination == .syslog, isatty(STDERR_FILENO) == 1 else { return }
        let text =
            "postern: the log goes to syslog (\(facility.rawValue)); with [log] destination = \"stderr\" it comes here\n"
        let octets = Array(text.utf8)
        unsafe write(STDERR_FILENO, octets, octets.count)
    }
}
