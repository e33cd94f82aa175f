internal import Glibc
internal import PosternConfiguration

/// How many files the process may have open, and what they are for.
struct DescriptorBudget: Sendable {
    /// The limit on open files.
    let limit: Int

    /// What is left for lookups, the log, files that a reload reads, and whoever asks how the daemon is.
    private var reserve: Int { min(max(limit / 4, 32), 1024) }

    /// How many connections mail servers may have.
    var milterConnections: Int { max(limit - reserve, 1) }

    /// How many connections each socket of the administration may have.
    var adminConnections: Int { reserve / 4 }

    /// Raises the limit as far as the process may, and says what it is then.
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

    /// What is said at the start when the configuration allows more connections than the limit does; nil when it does not.
    func warning(for listeners: [Configuration.Listen]) -> String? {
        let wanted = listeners.reduce(0) { $0 + $1.maximumConnections }
        guard wanted > milterConnections else { return nil }
        return """
            max_connections allows \(wanted) connections, but \(milterConnections) at most can be served: the limit on open \
            files is \(limit); raise it to \(wanted + 1024) by LimitNOFILE= in the unit or by "ulimit -n"
            """
    }
}
