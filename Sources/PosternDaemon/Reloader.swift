internal import Logging
internal import MilterServer
internal import NIOCore
internal import PosternConfiguration
internal import Synchronization

/// Reads configurations into snapshots.
struct SnapshotLoader: Sendable {
    let path: String
    let group: any EventLoopGroup
    let logger: Logger

    /// Reads the file, its keys and its lists, and keeps the cache of what was in force before where that can be.
    func load(after previous: Snapshot) throws(ConfigurationError) -> Snapshot {
        try load(Configuration.load(path: path), after: previous)
    }

    /// Completes a configuration that was read.
    func load(_ configuration: Configuration, after previous: Snapshot?) throws(ConfigurationError) -> Snapshot {
        if let lookups = previous?.lookups, lookups.serves(configuration.dns) {
            let snapshot = try Snapshot(configuration, lookups: lookups)
            lookups.update(configuration.dns)
            return snapshot
        }
        let lookups = try Lookups(configuration.dns, group: group) { [logger] isAnswering in
            if isAnswering {
                logger.notice("DNS is answering again")
            } else {
                logger.error("DNS is not answering: checks that need it give temperror")
            }
        }
        return try Snapshot(configuration, lookups: lookups)
    }
}

/// Puts changed configurations in force.
final class Reloader: Sendable {
    private let loader: SnapshotLoader
    private let filter: Filter
    private let logger: Logger
    private let fixed: FixedSettings
    /// Reloads come one after the other.
    private let turn = Mutex(())

    /// A reloader for a filter.
    init(loader: SnapshotLoader, filter: Filter, logger: Logger) {
        self.loader = loader
        self.filter = filter
        self.logger = logger
        fixed = FixedSettings(filter.snapshot.configuration)
    }

    /// Reads everything again and swaps it in, or leaves everything as it was.
    ///
    /// - Returns: what is wrong with the new configuration; nil when it is in force.
    func reload() -> ConfigurationError? {
        turn.withLock { _ in
            let notification = SystemdNotification.ofThisProcess
            notification.send(.reloading)
            defer { notification.send(.ready) }
            do throws(ConfigurationError) {
                let next = try loader.load(after: filter.snapshot)
                filter.replace(by: next)
                filter.counters.update { $0.reloads += 1 }
                logger.info("configuration reloaded")
                let changes = fixed.changes(in: FixedSettings(next.configuration)).joined(separator: ", ")
                if !changes.isEmpty { logger.warning("changed, but in force after a restart only: \(changes)") }
                return nil
            } catch {
                filter.counters.update { $0.failedReloads += 1 }
                for problem in error.problems {
                    logger.error("configuration not reloaded, the old one stays in force: \(problem)")
                }
                return error
            }
        }
    }
}

/// The settings that are read at the start only.
private struct FixedSettings: Sendable {
    let listeners: Set<MilterListener>
    let log: Configuration.Log
    let admin: Configuration.Admin
    let limits: Configuration.Limits

    init(_ configuration: Configuration) {
        listeners = Set(configuration.listen.map(MilterListener.init))
        log = configuration.log
        admin = configuration.admin
        limits = configuration.limits
    }

    /// The names of what differs in other settings.
    func changes(in other: FixedSettings) -> [String] {
        [
            listeners == other.listeners ? nil : "[[listen]]",
            log == other.log ? nil : "[log]",
            admin == other.admin ? nil : "[admin]",
            limits.maxPacket == other.limits.maxPacket ? nil : "limits.max_packet",
            limits.idleTimeout == other.limits.idleTimeout ? nil : "limits.idle_timeout",
            limits.drainTimeout == other.limits.drainTimeout ? nil : "limits.drain_timeout",
        ].compactMap { $0 }
    }
}
