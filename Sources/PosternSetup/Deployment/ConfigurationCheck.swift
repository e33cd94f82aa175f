internal import Glibc
public import NIOCore
public import PosternConfiguration

/// All that can be found out about a configuration before the daemon uses it.
public struct ConfigurationCheck: Sendable {
    /// The configuration; nil when the daemon would refuse it.
    public let configuration: Configuration?
    /// Why the daemon would refuse it, or else its possible mistakes; in the order of the file.
    public let problems: [ConfigurationProblem]
    /// The configuration's source of DNS answers; nil when the daemon would refuse the configuration.
    public let resolver: ConfiguredResolver?

    /// Examines a configuration, and everything that it names.
    ///
    /// - Parameters:
    ///   - path: the configuration's path.
    ///   - account: gives the account of the daemon; called after the configuration has been opened.
    ///   - group: the event loops for lookups.
    ///   - postfix: the mail server that must reach the sockets.
    public init(
        path: String,
        as account: () -> Account,
        group: any EventLoopGroup,
        postfix: PostfixInstallation? = .ofThisHost
    ) {
        let caller = Account.current
        var judge = caller
        let reading = Configuration.read(path: path) { judge = account() }
        var found = reading.problems
        var warnings = [ConfigurationProblem]()
        var resolver: ConfiguredResolver?
        if var configuration = reading.configuration {
            // The snapshot file belongs to the daemon.
            configuration.dns.cache.snapshot = nil
            do throws(ConfigurationError) { resolver = try ConfiguredResolver(configuration, group: group) } catch {
                found += error.problems.map {
                    $0.line > 0 ? $0 : configuration.problem("dns.zone", "\($0.file): \($0.message)")
                }
            }
            found += SigningTable.problems(configuration.signing, as: judge)
            found += SealingKey.problems(configuration.sealing, as: judge)
            let sockets = SocketCheck(account: judge, isOutsideUnit: judge.user != caller.user, postfix: postfix)
            found += sockets.problems(configuration, snapshot: reading.configuration?.dns.cache.snapshot)
            found += SpoolCheck(account: judge, isOutsideUnit: judge.user != caller.user).problems(configuration)
            found += Self.problem(ofFile: configuration, as: judge)
            warnings = configuration.warnings
        }
        let errors = found.filter { !$0.isWarning }
        problems = (errors.isEmpty ? found + warnings : errors).inOrder(of: path)
        configuration = errors.isEmpty ? reading.configuration : nil
        self.resolver = errors.isEmpty ? resolver : nil
    }

    /// The problem with the file itself: root may be able to read it although the daemon is not.
    private static func problem(ofFile configuration: Configuration, as account: Account) -> [ConfigurationProblem] {
        let path = configuration.file
        guard unsafe access(path, R_OK) != 0 else { return [] }
        let word = ShellCommand.word(path)
        let isInstalled = path == Configuration.standardPath
        return [
            configuration.problem(
                "",
                "the user \(account.name) cannot read this file",
                command: isInstalled
                    ? "chgrp \(ShellCommand.word(account.groupName)) \(word) && chmod g+r \(word)" : "",
                // Any other file is a draft.
                isWarning: !isInstalled
            )
        ]
    }

    /// Reads a configuration for the daemon.
    ///
    /// - Throws: all problems of the configuration and of its keys.
    public static func load(path: String) throws(ConfigurationError) -> Configuration {
        let reading = Configuration.read(path: path)
        guard let configuration = reading.configuration, !reading.problems.isEmpty else { return try reading.get() }
        let problems =
            reading.problems + SigningTable.problems(configuration.signing)
            + SealingKey.problems(configuration.sealing, as: .current).filter { !$0.isWarning }
        throw ConfigurationError(problems: problems.inOrder(of: path))
    }
}
