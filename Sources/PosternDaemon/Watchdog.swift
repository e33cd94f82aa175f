internal import Glibc
internal import NIOCore
internal import ServiceLifecycle

/// Tells the service manager periodically that all event loops run; the manager restarts a daemon that hangs.
struct Watchdog: Service {
    private let loops: [any EventLoop]
    private let notification: SystemdNotification
    private let interval: Duration

    /// The watchdog that the environment requests (sd_watchdog_enabled(3)); nil when it requests none.
    init?(
        loops: [any EventLoop],
        notification: SystemdNotification = .ofThisProcess,
        microseconds: String? = environment("WATCHDOG_USEC"),
        process: String? = environment("WATCHDOG_PID")
    ) {
        guard let time = microseconds.flatMap({ Int64($0) }), time > 0, process.map({ $0 == "\(getpid())" }) ?? true
        else { return nil }
        self.loops = loops
        self.notification = notification
        // Half of the time, so that one notification may be late.
        interval = .microseconds(time / 2)
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                for loop in loops { try? await loop.submit {}.get() }
                notification.send(.alive)
            } while (try? await Task.sleep(for: interval)) != nil
        }
    }

    private static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
