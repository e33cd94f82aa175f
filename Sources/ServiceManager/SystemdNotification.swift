internal import Glibc

/// Reports the daemon's state to the service manager, as `Type=notify` requires (sd_notify(3)); without one it does
/// nothing.
public struct SystemdNotification: Sendable {
    /// The service manager of this process.
    public static let ofThisProcess = SystemdNotification(
        address: environment("NOTIFY_SOCKET")
    )

    /// The states that are reported.
    public enum State: String {
        /// The sockets are open.
        case ready = "READY=1"
        /// A reload has begun; `ready` ends it.
        case reloading = "RELOADING=1"
        /// The daemon takes no new work.
        case stopping = "STOPPING=1"
        /// The daemon is not stuck.
        case alive = "WATCHDOG=1"
    }

    /// The address in `$NOTIFY_SOCKET`: a path, or an abstract name after `@`.
    public let address: String?

    /// The service manager at an address.
    public init(address: String?) {
        self.address = address
    }

    /// How often `alive` is due: half of the time that the environment allows (sd_watchdog_enabled(3)), so that one
    /// notification may be late; nil when it asks for none.
    ///
    /// - Parameters:
    ///   - microseconds: `$WATCHDOG_USEC`.
    ///   - process: `$WATCHDOG_PID`.
    public static func watchdogInterval(
        microseconds: String? = environment("WATCHDOG_USEC"),
        process: String? = environment("WATCHDOG_PID")
    ) -> Duration? {
        guard let time = microseconds.flatMap({ Int64($0) }), time > 0, process.map({ $0 == "\(getpid())" }) ?? true
        else { return nil }
        return .microseconds(time / 2)
    }

    /// A variable of the environment.
    public static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// Sends a state, with an optional status text for people.
    public func send(_ state: State, status: String? = nil) {
        guard let address, !address.isEmpty else { return }
        var message = state.rawValue
        // systemd.service(5), Type=notify-reload: the time must accompany RELOADING.
        if state == .reloading { message += "\nMONOTONIC_USEC=\(Self.monotonicMicroseconds)" }
        if let status { message += "\nSTATUS=\(status)" }
        Self.send(Array(message.utf8), to: address)
    }

    private static var monotonicMicroseconds: Int {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
    }

    private static func send(_ message: [UInt8], to address: String) {
        var socketAddress = sockaddr_un()
        socketAddress.sun_family = sa_family_t(AF_UNIX)
        var path = Array(address.utf8)
        guard path.count < MemoryLayout.size(ofValue: socketAddress.sun_path) else { return }
        // In the socket's address, an abstract name begins with a NUL.
        if path.first == UInt8(ascii: "@") { path[0] = 0 }
        unsafe withUnsafeMutableBytes(of: &socketAddress.sun_path) { unsafe $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        unsafe withUnsafePointer(to: &socketAddress) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = unsafe message.withUnsafeBytes { bytes in
                    unsafe sendto(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL), pointer, length)
                }
            }
        }
    }
}
