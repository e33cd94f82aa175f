internal import Glibc
internal import PosternConfiguration

/// The limit on open files, and its division among their purposes.
struct DescriptorBudget: Sendable {
    /// The limit on open files.
    let limit: Int

    /// The rest for lookups, the log, files read by a reload, and connections to the administration sockets.
    private var reserve: Int { min(max(limit / 4, 32), 1024) }

    /// The most connections of mail servers.
    var milterConnections: Int { max(limit - reserve, 1) }

    /// The most connections of each administration socket.
    var adminConnections: Int { reserve / 4 }

    /// Raises the limit as far as the process may, and returns the new limit.
    static func raisingTheLimit() -> DescriptorBudget {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return DescriptorBudget(limit: 1024)
        }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return DescriptorBudget(limit: Int(clamping: limit.rlim_cur))
    }

    /// The warning at the start if the configuration allows more connections than the limit does; nil otherwise.
    func warning(for listeners: [Configuration.Listen]) -> String? {
        let wanted = listeners.reduce(0) { $0 + $1.maximumConnections }
        guard wanted > milterConnections else { return nil }
        return """
            max_connections allows \(wanted) connections, but \(milterConnections) at most can be served: the limit on open \
            files is \(limit); raise it to \(wanted + 1024) by LimitNOFILE= in the unit or by "ulimit -n"
            """
    }
}
