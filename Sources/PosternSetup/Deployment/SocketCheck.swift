internal import Glibc
internal import PosternConfiguration

/// Checks whether the daemon can make its unix sockets and its cache file, and whether its mail server can reach the
/// sockets.
struct SocketCheck {
    /// The account of this process, which is the daemon's account.
    let account: Account
    /// Whether the unit denies the daemon directories that are open to this process.
    let isOutsideUnit: Bool
    let postfix: PostfixInstallation?

    /// The directories that the packaged unit lets the daemon write to.
    private static let unitFolders = ["/run/postern", "/var/lib/postern", "/var/spool/postfix/postern"]

    /// Finds all problems that show before the sockets are opened.
    ///
    /// - Parameters:
    ///   - configuration: the configuration that names the sockets.
    ///   - snapshot: the file of the DNS cache, if there is to be one.
    func problems(_ configuration: Configuration, snapshot: String? = nil) -> [ConfigurationProblem] {
        var files = configuration.listen.enumerated().compactMap { index, listen -> MadeFile? in
            guard case .unix(let path) = listen.socket else { return nil }
            return MadeFile(configuration, "listen[\(index + 1)]", "socket", path, listen: listen)
        }
        let control = configuration.admin.control
        if !control.isEmpty, configuration.isControlGiven {
            files.append(MadeFile(configuration, "admin", "control", control))
        }
        // A zone file has no cache.
        if let snapshot, configuration.dns.zone == nil {
            files.append(MadeFile(configuration, "dns.cache", "snapshot", snapshot, isCache: true))
        }
        return files.flatMap { file in
            [groupProblem(file)].compactMap { $0 } + directoryProblems(file) + occupantProblems(file)
        }
    }

    /// The command that makes a directory for the daemon's socket; empty for a socket that other programs may use.
    private func command(for socket: MadeFile) -> String {
        guard socket.status == nil || socket.folder.hasSuffix("/postern") else { return "" }
        let isPostfix = socket.listen != nil && isBelowQueue(socket)
        let group = isPostfix ? "postfix" : ShellCommand.word(account.groupName)
        let mode = isPostfix ? "2750" : "0755"
        return
            "install -d -o \(ShellCommand.word(account.name)) -g \(group) -m \(mode) \(ShellCommand.word(socket.folder))"
    }

    private func isBelowQueue(_ socket: MadeFile) -> Bool {
        postfix.map { socket.folder.hasPrefix($0.queueDirectory + "/") } ?? false
    }

    private func groupProblem(_ socket: MadeFile) -> ConfigurationProblem? {
        guard let name = socket.listen?.group else { return nil }
        guard let group = HostDatabase.group(named: name) else {
            return socket.problem(
                of: "group",
                "there is no group \"\(name)\" on this host",
                accepted: "a group of this host"
            )
        }
        // chown(2): an owner may give a file to one of its own groups, or leave it in the group inherited from the
        // directory.
        let isInherited = socket.status.map { $0.mode & S_ISGID != 0 && $0.group == group } ?? false
        if account.user == 0 || account.groups.contains(group) || isInherited { return nil }
        return socket.problem(
            of: "group",
            "the user \(account.name) is not in the group \(name), and cannot give it the socket",
            accepted: "a directory whose sockets have that group from the start, and no group here",
            command: command(for: socket)
        )
    }

    private func directoryProblems(_ socket: MadeFile) -> [ConfigurationProblem] {
        guard let status = socket.status else {
            // The unit makes these directories before it starts the daemon.
            if Self.unitFolders.prefix(2).contains(socket.folder) { return [] }
            let what = socket.errorCode == EACCES ? "cannot be reached by the user \(account.name)" : "does not exist"
            return [socket.problem("the directory \(socket.folder) \(what)", command: command(for: socket))]
        }
        guard status.kind == S_IFDIR else { return [socket.problem("\(socket.folder) is not a directory")] }
        guard unsafe access(status.path, W_OK | X_OK) == 0 else { return [writingProblem(socket, status, errno)] }
        return [postfixProblem(socket, status) ?? unitProblem(socket)].compactMap { $0 }
    }

    /// A file at the path that would not be replaced.
    private func occupantProblems(_ file: MadeFile) -> [ConfigurationProblem] {
        if file.isCache {
            let kind = FileStatus(file.path, followsLinks: true)?.kind ?? S_IFREG
            return kind == S_IFREG ? [] : [file.problem("\(file.path) is not a regular file")]
        }
        guard let status = FileStatus(file.path), status.kind != S_IFSOCK else { return [] }
        return [file.problem("\(file.path) is \(status.noun), not a socket", accepted: "another path")]
    }

    private func writingProblem(_ socket: MadeFile, _ status: FileStatus, _ code: Int32) -> ConfigurationProblem {
        if code == EROFS {
            return socket.problem(
                "the unit does not let the daemon write to \(socket.folder)",
                accepted: "ReadWritePaths=\(socket.folder) in the unit, by: systemctl edit postern"
            )
        }
        return socket.problem(
            "the user \(account.name) cannot make a \(socket.noun) in \(socket.folder) (\(status.description))",
            accepted: "a directory of its own",
            command: command(for: socket)
        )
    }

    /// A directory that the unit denies the daemon, although it is open to this process.
    private func unitProblem(_ socket: MadeFile) -> ConfigurationProblem? {
        let folders = Self.unitFolders
        let isWritable = folders.contains { socket.folder == $0 || socket.folder.hasPrefix($0 + "/") }
        guard isOutsideUnit, !isWritable else { return nil }
        return socket.problem(
            "the unit that comes with postern lets the daemon write to \(folders.joined(separator: ", ")) alone",
            accepted: "one of these, or ReadWritePaths=\(socket.folder) in the unit, by: systemctl edit postern",
            isWarning: true
        )
    }

    private func postfixProblem(_ socket: MadeFile, _ folder: FileStatus) -> ConfigurationProblem? {
        guard let postfix, let listen = socket.listen else { return nil }
        let queue = postfix.queueDirectory
        if postfix.isConfined, !socket.folder.hasPrefix(queue + "/") {
            return socket.problem(
                "Postfix's smtpd is confined to \(queue) and finds no socket elsewhere",
                accepted: "\"unix:\(queue)/postern/postern.sock\", or \"\(ListenAddress.standard)\"",
                isWarning: true
            )
        }
        let inherited = folder.mode & S_ISGID != 0 ? folder.group : account.group
        let group = listen.group.flatMap { HostDatabase.group(named: $0) } ?? inherited
        let mode = listen.mode
        let canConnect = mode & 0o002 != 0 || mode & 0o020 != 0 && postfix.account.groups.contains(group)
        if canConnect, folder.grants(1, to: postfix.account) { return nil }
        let what =
            canConnect
            ? "the directory \(folder.path) is closed to Postfix (\(folder.description))"
            : "Postfix cannot connect to a socket of the group \(HostDatabase.groupName(group)), "
                + "mode \(FileStatus.octal(mode_t(truncatingIfNeeded: mode)))"
        return socket.problem(what, command: command(for: socket), isWarning: true)
    }
}
