internal import Glibc
internal import PosternConfiguration

/// What keeps the daemon from making its unix sockets, or its mail server from reaching them.
struct SocketCheck {
    /// The account of this process, which is the daemon's.
    let account: Account
    /// Whether the unit keeps the daemon from directories that this process is not kept from.
    let isOutsideUnit: Bool
    let postfix: PostfixInstallation?

    /// The directories that the unit which comes with the package lets the daemon write to.
    private static let unitFolders = ["/run/postern", "/var/lib/postern", "/var/spool/postfix/postern"]

    /// Everything that can be found out before the sockets are opened.
    func problems(_ configuration: Configuration) -> [ConfigurationProblem] {
        configuration.listen.enumerated().flatMap { index, listen -> [ConfigurationProblem] in
            guard case .unix(let path) = listen.socket else { return [] }
            let socket = UnixSocket(configuration, "listen[\(index + 1)]", listen, path)
            return [groupProblem(socket)].compactMap { $0 } + directoryProblems(socket)
        }
    }

    /// A socket that is to be made.
    private struct UnixSocket {
        let configuration: Configuration
        let key: String
        let listen: Configuration.Listen
        let path: String
        /// The directory of the file.
        let folder: String
        /// What is known of it; nil when it is not there, or the account may not know.
        let status: FileStatus?
        /// Why nothing is known.
        let errorCode: Int32

        init(_ configuration: Configuration, _ key: String, _ listen: Configuration.Listen, _ path: String) {
            self.configuration = configuration
            self.key = key
            self.listen = listen
            self.path = path
            folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)].description
            status = FileStatus(folder.isEmpty ? "/" : folder, followsLinks: true)
            errorCode = errno
        }

        func problem(
            _ setting: String,
            _ message: String,
            accepted: String = "",
            command: String = "",
            isWarning: Bool = false
        ) -> ConfigurationProblem {
            configuration.problem(
                key + "." + setting,
                message,
                accepted: accepted,
                command: command,
                isWarning: isWarning
            )
        }
    }

    /// What makes a directory in which the daemon can make a socket for a mail server; nothing for one that others may use.
    private func command(for socket: UnixSocket) -> String {
        guard socket.status == nil || socket.folder.hasSuffix("/postern") else { return "" }
        let isPostfix = postfix.map { socket.folder.hasPrefix($0.queueDirectory + "/") } ?? false
        let group = isPostfix ? "postfix" : ShellCommand.word(account.groupName)
        let mode = isPostfix ? "2750" : "0755"
        return
            "install -d -o \(ShellCommand.word(account.name)) -g \(group) -m \(mode) \(ShellCommand.word(socket.folder))"
    }

    private func groupProblem(_ socket: UnixSocket) -> ConfigurationProblem? {
        guard let name = socket.listen.group else { return nil }
        guard let group = HostDatabase.group(named: name) else {
            return socket.problem(
                "group",
                "there is no group \"\(name)\" on this host",
                accepted: "a group of this host"
            )
        }
        // chown(2): an owner gives a file to a group of its own, or leaves it in the group that the directory gave it.
        let isInherited = socket.status.map { $0.mode & S_ISGID != 0 && $0.group == group } ?? false
        if account.user == 0 || account.groups.contains(group) || isInherited { return nil }
        return socket.problem(
            "group",
            "the user \(account.name) is not in the group \(name), and cannot give it the socket",
            accepted: "a directory whose sockets have that group from the start, and no group here",
            command: command(for: socket)
        )
    }

    private func directoryProblems(_ socket: UnixSocket) -> [ConfigurationProblem] {
        guard let status = socket.status else {
            // The unit makes this one before it starts the daemon.
            if socket.folder == Self.unitFolders.first { return [] }
            let what = socket.errorCode == EACCES ? "cannot be reached by the user \(account.name)" : "does not exist"
            return [socket.problem("socket", "the directory \(socket.folder) \(what)", command: command(for: socket))]
        }
        guard status.kind == S_IFDIR else { return [socket.problem("socket", "\(socket.folder) is not a directory")] }
        guard unsafe access(status.path, W_OK | X_OK) == 0 else { return [writingProblem(socket, status, errno)] }
        return [postfixProblem(socket, status) ?? unitProblem(socket)].compactMap { $0 }
    }

    private func writingProblem(_ socket: UnixSocket, _ status: FileStatus, _ code: Int32) -> ConfigurationProblem {
        if code == EROFS {
            return socket.problem(
                "socket",
                "the unit does not let the daemon write to \(socket.folder)",
                accepted: "ReadWritePaths=\(socket.folder) in the unit, by: systemctl edit postern"
            )
        }
        return socket.problem(
            "socket",
            "the user \(account.name) cannot make a socket in \(socket.folder) (\(status.description))",
            accepted: "a directory of its own",
            command: command(for: socket)
        )
    }

    /// A directory that the unit keeps the daemon from, while this process is not kept from it.
    private func unitProblem(_ socket: UnixSocket) -> ConfigurationProblem? {
        let folders = Self.unitFolders
        let isWritable = folders.contains { socket.folder == $0 || socket.folder.hasPrefix($0 + "/") }
        guard isOutsideUnit, !isWritable else { return nil }
        return socket.problem(
            "socket",
            "the unit that comes with postern lets the daemon write to \(folders.joined(separator: ", ")) alone",
            accepted: "one of these, or ReadWritePaths=\(socket.folder) in the unit, by: systemctl edit postern",
            isWarning: true
        )
    }

    private func postfixProblem(_ socket: UnixSocket, _ folder: FileStatus) -> ConfigurationProblem? {
        guard let postfix else { return nil }
        let queue = postfix.queueDirectory
        if postfix.isConfined, !socket.folder.hasPrefix(queue + "/") {
            return socket.problem(
                "socket",
                "Postfix's smtpd is confined to \(queue) and finds no socket elsewhere",
                accepted: "\"unix:\(queue)/postern/postern.sock\", or \"\(ListenSocket.standard)\"",
                isWarning: true
            )
        }
        let inherited = folder.mode & S_ISGID != 0 ? folder.group : account.group
        let group = socket.listen.group.flatMap { HostDatabase.group(named: $0) } ?? inherited
        let mode = socket.listen.mode
        let canConnect = mode & 0o002 != 0 || mode & 0o020 != 0 && postfix.account.groups.contains(group)
        if canConnect, folder.grants(1, to: postfix.account) { return nil }
        let what =
            canConnect
            ? "the directory \(folder.path) is closed to Postfix (\(folder.description))"
            : "Postfix cannot connect to a socket of the group \(HostDatabase.groupName(group)), "
                + "mode \(FileStatus.octal(mode_t(truncatingIfNeeded: mode)))"
        return socket.problem("socket", what, command: command(for: socket), isWarning: true)
    }
}
