internal import Logging
internal import NIOCore
internal import PosternConfiguration

extension AdminServer {
    /// The servers that the configuration describes: the control socket, and a port for metrics and health.
    static func servers(
        _ configuration: Configuration,
        _ descriptors: DescriptorBudget,
        group: any EventLoopGroup,
        logger: Logger,
        router: AdminRouter
    ) -> [AdminServer] {
        var servers = [AdminServer]()
        let most = descriptors.adminConnections
        let control = configuration.admin.control
        if !control.isEmpty {
            // A user who may write to the socket can reload the configuration, and can read envelopes.
            let warn: @Sendable (String) -> Void = { warnOfMissing(control, reason: $0, logger) }
            let server = AdminServer(
                .unix(control),
                group: group,
                maximumConnections: most,
                whenMissing: configuration.isControlGiven ? nil : warn,
                answer: router.answerControl
            )
            servers.append(server)
        }
        if let listen = configuration.admin.listen {
            servers.append(
                AdminServer(.tcp(listen), group: group, maximumConnections: most, answer: router.answerPublic)
            )
        }
        return servers
    }

    /// Warns that there is no control socket.
    ///
    /// The default path belongs to the package: a daemon that is started by hand, or beside another daemon, works
    /// without it.
    private static func warnOfMissing(_ path: String, reason: String, _ logger: Logger) {
        logger.warning(
            """
            no control socket, so "postern status", "reload" and "why" cannot reach this daemon: \(path): \(reason); \
            write control = "/another/path" under [admin], or control = "" for none
            """
        )
    }
}
