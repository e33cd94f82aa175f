internal import NIOCore
internal import ServiceLifecycle
internal import ServiceManager

/// Tells the service manager periodically that all event loops run; the manager restarts a daemon that hangs.
struct Watchdog: Service {
    private let loops: [any EventLoop]
    private let notification: SystemdNotification
    private let interval: Duration

    /// The watchdog that the environment requests (sd_watchdog_enabled(3)); nil when it requests none.
    init?(
        loops: [any EventLoop],
        notification: SystemdNotification = .ofThisProcess,
        microseconds: String? = SystemdNotification.environment("WATCHDOG_USEC"),
        process: String? = SystemdNotification.environment("WATCHDOG_PID")
    ) {
        guard
            let interval = SystemdNotification.watchdogInterval(microseconds: microseconds, process: process)
        else { return nil }
        self.loops = loops
        self.notification = notification
        self.interval = interval
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                for loop in loops { try? await loop.submit {}.get() }
                notification.send(.alive)
            } while (try? await Task.sleep(for: interval)) != nil
        }
    }
}
