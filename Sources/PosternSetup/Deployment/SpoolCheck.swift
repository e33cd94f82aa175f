internal import Glibc
internal import PosternConfiguration

/// Checks whether the daemon can write events where the configuration says.
///
/// Without events the daemon works as well, so all that is found is a warning.
struct SpoolCheck {
    /// The account of this process, which is the daemon's account.
    let account: Account
    /// Whether the unit denies the daemon directories that are open to this process.
    let isOutsideUnit: Bool

    /// Finds what keeps events from the spool; nothing where neither the file nor the host knows of a spool.
    func problems(_ configuration: Configuration) -> [ConfigurationProblem] {
        let path = configuration.events.spool
        func warning(_ message: String, accepted: String = "", command: String = "") -> [ConfigurationProblem] {
            [
                configuration.problem(
                    "events.spool",
                    message + ": no events are written",
                    accepted: accepted,
                    command: command,
                    isWarning: true
                )
            ]
        }
        guard let status = FileStatus(path, followsLinks: true) else {
            guard configuration.isSpoolGiven else { return [] }
            let reason = errno == EACCES ? "cannot be reached by the user \(account.name)" : "does not exist"
            let directory = ShellCommand.word(path)
            return warning(
                "the directory \(path) \(reason)",
                accepted:
                    "for each start of the host: \"d \(path) 2770 postern postern-ledger\" in /etc/tmpfiles.d/postern.conf",
                command: "install -d -o postern -g postern-ledger -m 2770 \(directory)"
            )
        }
        guard status.kind == S_IFDIR else { return warning("\(path) is \(status.noun), not a directory") }
        guard unsafe access(path, W_OK | X_OK) == 0 else {
            return warning("the user \(account.name) cannot write to \(path) (\(status.description))")
        }
        guard isOutsideUnit, path != Configuration.Events.standardSpool else { return [] }
        return warning(
            "the units of postern and postern-ledger let them write to \(Configuration.Events.standardSpool) alone",
            accepted: "that, or ReadWritePaths=\(path) in both units, by: systemctl edit postern postern-ledger"
        )
    }
}
