internal import Logging
internal import PosternConfiguration
internal import PosternSetup
internal import ServiceManager
internal import Synchronization

/// Puts a changed configuration into force.
final class Reloader: Sendable {
    /// What came of a reload.
    struct Outcome: Encodable, Sendable {
        /// When it was, as RFC 3339 writes it.
        let time: String
        /// Why the configuration was not taken; none when it was.
        let problems: [String]
    }

    private let loader: SetupLoader
    private let filter: Filter
    private let logger: Logger
    private let fixed: FixedSettings
    /// Serializes reloads.
    private let turn = Mutex(())
    private let outcome = Mutex<Outcome?>(nil)

    /// What came of the last reload; nil when there was none.
    var last: Outcome? { outcome.withLock { $0 } }

    /// A reloader for a filter.
    init(loader: SetupLoader, filter: Filter, logger: Logger) {
        self.loader = loader
        self.filter = filter
        self.logger = logger
        fixed = FixedSettings(filter.setup.configuration)
    }

    /// Reads everything again and puts it into force, or leaves everything unchanged.
    ///
    /// - Returns: warnings about the new configuration that the user may not expect; they are logged too.
    /// - Throws: the problems of the new configuration.
    @discardableResult
    func reload() throws(ConfigurationError) -> [String] {
        try turn.withLock { _ throws(ConfigurationError) in
            let notification = SystemdNotification.ofThisProcess
            notification.send(.reloading)
            defer { notification.send(.ready) }
            do throws(ConfigurationError) {
                let previous = filter.setup.configuration
                let next = try loader.load(after: filter.setup)
                filter.replace(by: next)
                filter.counters.update { values in
                    values.reloads += 1
                    values.configured = Clock.now
                    values.isLastConfigurationGood = true
                }
                note([])
                logger.info("configuration reloaded")
                let warnings = previous.losses(to: next.configuration) + fixed.warnings(for: next.configuration)
                for warning in warnings { logger.warning("\(warning)") }
                return warnings
            } catch {
                filter.counters.update { values in
                    values.failedReloads += 1
                    values.isLastConfigurationGood = false
                }
                note(error.problems)
                for problem in error.problems {
                    logger.error("configuration not reloaded, the old one stays in force: \(problem)")
                }
                throw error
            }
        }
    }

    private func note(_ problems: [ConfigurationProblem]) {
        let outcome = Outcome(time: "\(UTCTime(Clock.now))", problems: problems.map(\.description))
        self.outcome.withLock { $0 = outcome }
    }
}
