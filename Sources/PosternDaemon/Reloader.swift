internal import Logging
internal import MilterServer
internal import NIOCore
internal import Policy
internal import PosternConfiguration
internal import Synchronization

/// Reads configurations into snapshots.
struct SnapshotLoader: Sendable {
    let path: String
    let group: any EventLoopGroup
    let logger: Logger

    /// Reads the file, its keys and its lists, and keeps the cache of what was in force before where that can be.
    func load(after previous: Snapshot) throws(ConfigurationError) -> Snapshot {
        try load(ConfigurationCheck.load(path: path), after: previous)
    }

    /// Completes a configuration that was read.
    func load(_ configuration: Configuration, after previous: Snapshot?) throws(ConfigurationError) -> Snapshot {
        if let lookups = previous?.lookups, lookups.serves(configuration.dns) {
            let snapshot = try Snapshot(configuration, lookups: lookups)
            lookups.update(configuration)
            return snapshot
        }
        let lookups = try Lookups(configuration, group: group) { [logger] news in logger.log(news) }
        lookups.checkServers()
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
    /// - Returns: what whoever asked for it may not expect; the log has it too.
    /// - Throws: what is wrong with the new configuration.
    @discardableResult
    func reload() throws(ConfigurationError) -> [String] {
        try turn.withLock { _ throws(ConfigurationError) in
            let notification = SystemdNotification.ofThisProcess
            notification.send(.reloading)
            defer { notification.send(.ready) }
            do throws(ConfigurationError) {
                let previous = filter.snapshot.configuration
                let next = try loader.load(after: filter.snapshot)
                filter.replace(by: next)
                filter.counters.update { $0.reloads += 1 }
                logger.info("configuration reloaded")
                let warnings = previous.losses(to: next.configuration) + fixed.warnings(for: next.configuration)
                for warning in warnings { logger.warning("\(warning)") }
                return warnings
            } catch {
                filter.counters.update { $0.failedReloads += 1 }
                for problem in error.problems {
                    logger.error("configuration not reloaded, the old one stays in force: \(problem)")
                }
                throw error
            }
        }
    }
}

extension Configuration {
    /// What protected mail by this configuration and does not by its successor: meant perhaps, and perhaps a file cut off.
    fileprivate func losses(to next: Configuration) -> [String] {
        var losses = [String]()
        if mode == .enforce, next.mode == .observe {
            losses.append("the rules no longer act: mode was \"enforce\" and is \"observe\"")
        }
        if !rules.rules.isEmpty, next.rules.rules.isEmpty {
            losses.append("there are no rules any more: there were \(rules.rules.count)")
        }
        if !signing.isEmpty, next.signing.isEmpty {
            let domains = signing.map { "\($0.domain)" }.joined(separator: ", ")
            losses.append("nothing is signed any more: there was a [[signing]] table for \(domains)")
        }
        return losses
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

    /// What a configuration changes that stays as it was until the daemon starts anew.
    func warnings(for configuration: Configuration) -> [String] {
        let changes = changes(in: FixedSettings(configuration))
        guard !changes.isEmpty else { return [] }
        return [
            "changed, but in force after a restart only: \(changes.joined(separator: ", "))"
                + " (type: systemctl restart postern)"
        ]
    }

    private func changes(in other: FixedSettings) -> [String] {
        [
            listeners == other.listeners ? nil : "[[listen]]",
            log == other.log ? nil : "[log]",
            admin == other.admin ? nil : "[admin]",
            limits.maxPacket == other.limits.maxPacket ? nil : "limits.max_packet",
            limits.maxHeld == other.limits.maxHeld ? nil : "limits.max_held",
            limits.idleTimeout == other.limits.idleTimeout ? nil : "limits.idle_timeout",
            limits.drainTimeout == other.limits.drainTimeout ? nil : "limits.drain_timeout",
        ].compactMap { $0 }
    }
}
