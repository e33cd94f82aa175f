import Glibc

/// The sockets that a service manager has passed to this process (sd_listen_fds(3)).
struct ServiceManagerSockets {
    /// Descriptors by name, in order.
    let descriptors: [(name: String, descriptor: CInt)]

    /// Reads the environment; child processes do not inherit the descriptors.
    init() {
        self.init(
            processNumber: ServiceManagerSockets.environment("LISTEN_PID"),
            count: ServiceManagerSockets.environment("LISTEN_FDS"),
            names: ServiceManagerSockets.environment("LISTEN_FDNAMES"),
            own: getpid()
        )
        for (_, descriptor) in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    /// Reads the values of the environment variables.
    ///
    /// Descriptors begin at 3; a descriptor without a name is called `unknown`.
    init(processNumber: String?, count: String?, names: String?, own: pid_t) {
        guard let count = count.flatMap({ CInt($0) }), (1...1024).contains(count),
            processNumber.flatMap({ pid_t($0) }) == own
        else {
            descriptors = []
            return
        }
        let names = (names ?? "").split(separator: ":", omittingEmptySubsequences: false)
        descriptors = (0..<count).map { index in
            let name = names.dropFirst(Int(index)).first.map { String($0) } ?? "unknown"
            return (name, 3 + index)
        }
    }

    /// The descriptors with this name.
    func named(_ name: String) -> [CInt] { descriptors.filter { $0.name == name }.map { $0.descriptor } }

    private static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
