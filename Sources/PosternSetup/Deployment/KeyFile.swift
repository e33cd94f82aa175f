internal import Glibc
internal import MailCrypto
public import MailSyntax
internal import PosternConfiguration
internal import SystemPackage

/// Reads private keys from files that nobody else can read, replace or redirect.
///
/// The rule, as in postern(8): the file, and every directory on its path, including directories that symbolic links
/// lead to, must belong to root or to the daemon's account. Nobody else may write to them, and apart from the owner
/// only the account's groups may read the file. A directory with the sticky bit is allowed, because in it nobody can
/// replace a file of another user.
public enum KeyFile {
    /// Why a key file is not read.
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// The file, directory or link with the problem.
        public let path: String
        /// The problem, including the bit of the mode if it is one.
        public let reason: String
        /// The command with which root can repair it; empty when no such command is known.
        public let command: String
        /// Whether the path does not exist.
        public let isAbsent: Bool

        /// Path and reason as one line.
        public var description: String { "\(path) \(reason)" }
    }

    /// The package's directory for keys.
    public static let folder = "/etc/postern/keys"

    /// The name of the file that `keygen` makes: `example.org_2026r.pem`.
    ///
    /// A host name has no underscore, so keys of any domains can be in one directory.
    public static func name(_ domain: DomainName, _ selector: DomainName) -> String { "\(domain)_\(selector).pem" }

    /// What the name of such a file says; nil for another name.
    public static func names(of path: String) -> (domain: DomainName, selector: DomainName)? {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        guard name.hasSuffix(".pem") else { return nil }
        let parts = name.dropLast(4).split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, let domain = try? DomainName(unicode: Octets(String(parts[0]))),
            let selector = try? DomainName(unicode: Octets(String(parts[1])))
        else { return nil }
        return (domain, selector)
    }

    /// The greatest length of a key file; an RSA key of 8192 bits takes 6,400 octets in PEM.
    static let maximumLength = 65_536

    /// The octets of a key file, if the file and its path are safe and this process, which runs as `account`, may read
    /// it.
    public static func read(_ path: String, as account: Account = .current) throws(Failure) -> [UInt8] {
        let check = KeyPathCheck(account: account)
        do throws(Failure) {
            return try check.octets(of: check.resolve(path))
        } catch {
            throw check.checkedForDamage(error, of: path)
        }
    }

    /// Why a key file is not safe, not readable, or not a key; nil when it is a safe, readable key.
    public static func problem(with path: String, as account: Account = .current) -> Failure? {
        do throws(Failure) {
            _ = try read(path, as: account)
            return nil
        } catch {
            return error
        }
    }
}

/// Checks each step of a path.
private struct KeyPathCheck {
    let account: Account

    private static let maximumLinks = 40

    /// Walks a path from the root, checks every step, and returns the path without links.
    func resolve(_ path: String) throws(KeyFile.Failure) -> String {
        var current = ""
        var left = Substring(path.hasPrefix("/") ? path : Self.workingDirectory() + "/" + path)
            .split(separator: "/").map(String.init)[...]
        var links = 0
        try checkDirectory(status(of: "/"))
        while let component = left.popFirst() {
            if component == "." { continue }
            if component == ".." {
                current = current.split(separator: "/").dropLast().map { "/" + $0 }.joined()
                continue
            }
            let next = current + "/" + component
            let status = try status(of: next)
            switch status.kind {
            case S_IFLNK:
                links += 1
                guard links <= Self.maximumLinks else { throw failure(path, "has too many symbolic links") }
                try checkOwner(status, command: "")
                let target = try target(of: next)
                if target.hasPrefix("/") { current = "" }
                left = target.split(separator: "/").map(String.init) + left
            case S_IFDIR:
                try checkDirectory(status)
                current = next
            default:
                guard left.isEmpty else { throw failure(next, "is not a directory") }
                current = next
            }
        }
        return current
    }

    /// Opens a file, checks the open file, and reads it.
    func octets(of path: String) throws(KeyFile.Failure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            // Problems of the file itself come first: a command that repairs one problem repairs both.
            let status = try status(of: path)
            try checkFile(status)
            guard code == EACCES else { throw failure(path, "cannot be opened: \(Errno(rawValue: code))") }
            let reason = "cannot be read by the user \(account.name) (\(status.description))"
            throw failure(path, reason, command: commandForFile(path))
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw failure(path, "cannot be examined: \(Errno(rawValue: errno))")
        }
        try checkFile(FileStatus(path, status))
        return try contents(of: path, descriptor)
    }

    /// The failure, with its command only if the command does no damage.
    ///
    /// Commands that change who may read a file, or a directory on its path, are only for private keys, not for a path
    /// that somebody mistook for a key's path.
    func checkedForDamage(_ failure: KeyFile.Failure, of path: String) -> KeyFile.Failure {
        guard !failure.command.isEmpty else { return failure }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            return Self.isNamedAsKey(path) ? failure : self.failure(failure.path, failure.reason)
        }
        defer { close(descriptor) }
        do {
            _ = try PrivateKey(pem: contents(of: path, descriptor))
            return failure
        } catch let error as CryptoError {
            return self.failure(path, "\(error)")
        } catch {
            return self.failure(failure.path, failure.reason)
        }
    }

    /// Whether an unreadable file has the location or the name of a key.
    private static func isNamedAsKey(_ path: String) -> Bool {
        path.hasPrefix(KeyFile.folder + "/") || [".pem", ".key", ".private"].contains { path.hasSuffix($0) }
    }

    /// Reads the open file.
    private func contents(of path: String, _ descriptor: Int32) throws(KeyFile.Failure) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: KeyFile.maximumLength + 1)
        var length = 0
        while length < octets.count {
            // read(2) writes at most the given number of octets; 0 is the end.
            let count = unsafe octets.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress?.advanced(by: length), buffer.count - length)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path, "cannot be read: \(Errno(rawValue: errno))") }
            if count == 0 { break }
            length += count
        }
        guard length <= KeyFile.maximumLength else {
            throw failure(path, "is longer than \(KeyFile.maximumLength) octets")
        }
        return Array(octets.prefix(length))
    }

    private func checkOwner(_ status: FileStatus, command: String) throws(KeyFile.Failure) {
        guard status.owner == 0 || status.owner == account.user else {
            let expected = account.user == 0 ? "root" : "root or to the user \(account.name)"
            let owner = HostDatabase.userName(status.owner)
            throw failure(status.path, "belongs to the user \(owner), not to \(expected)", command: command)
        }
    }

    private func checkDirectory(_ status: FileStatus) throws(KeyFile.Failure) {
        let path = ShellCommand.word(status.path)
        let isSticky = status.mode & S_ISVTX != 0
        let bits = isSticky ? 0 : status.mode & (S_IWGRP | S_IWOTH)
        let isOfGroup = bits & S_IWGRP != 0
        let isOfOthers = bits & S_IWOTH != 0
        // One command repairs the directory, whatever is wrong with its mode.
        let chmod = "chmod \(isOfGroup ? "g" : "")\(isOfOthers ? "o" : "")-w \(path)"
        try checkOwner(status, command: "chown root \(path)" + (bits == 0 ? "" : " && \(chmod)"))
        let who = isOfOthers ? (isOfGroup ? "its group and by everybody" : "everybody") : "its group"
        try check(status, bits, "can be written to by \(who)", command: chmod)
    }

    private func checkFile(_ status: FileStatus) throws(KeyFile.Failure) {
        guard status.kind == S_IFREG else { throw failure(status.path, "is not a regular file") }
        let command = commandForFile(status.path)
        try checkOwner(status, command: command)
        try check(status, S_IROTH, "can be read by everybody", command: command)
        try check(status, S_IWOTH, "can be written to by everybody", command: command)
        try check(status, S_IWGRP, "can be written to by its group", command: command)
        // A group of the account is allowed, because the account may read the file only through that group.
        if account.user == 0 || account.groups.contains(status.group) { return }
        let group = HostDatabase.groupName(status.group)
        try check(status, S_IRGRP, "can be read by the group \(group)", command: command)
    }

    /// Refuses a mode in which `bit` is set.
    private func check(
        _ status: FileStatus,
        _ bit: mode_t,
        _ reason: String,
        command: String
    ) throws(KeyFile.Failure) {
        guard status.mode & bit != 0 else { return }
        let modes =
            "(mode \(FileStatus.octal(status.mode)), \(bit.nonzeroBitCount == 1 ? "bit" : "bits") \(FileStatus.octal(bit)))"
        throw failure(status.path, "\(reason) \(modes)", command: command)
    }

    /// The command that gives a key file its right owner and mode.
    private func commandForFile(_ path: String) -> String {
        let path = ShellCommand.word(path)
        guard account.user != 0 else { return "chown root:root \(path) && chmod 0600 \(path)" }
        return "chown root:\(ShellCommand.word(account.groupName)) \(path) && chmod 0640 \(path)"
    }

    private func status(of path: String) throws(KeyFile.Failure) -> FileStatus {
        if let status = FileStatus(path) { return status }
        let code = errno
        let directory = path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        guard code == EACCES, let above = FileStatus(directory) else {
            throw failure(path, "cannot be found: \(Errno(rawValue: code))", isAbsent: code == ENOENT)
        }
        let reason = "cannot be entered by the user \(account.name) (\(above.description))"
        // Other directories, such as a home directory, are better left unchanged.
        let word = ShellCommand.word(directory)
        let command = "chown root:\(ShellCommand.word(account.groupName)) \(word) && chmod 0750 \(word)"
        throw failure(directory, reason, command: directory == KeyFile.folder ? command : "")
    }

    private func target(of link: String) throws(KeyFile.Failure) -> String {
        var octets = [CChar](repeating: 0, count: Int(PATH_MAX))
        // readlink(2) writes no NUL and returns the length, or -1.
        let length = unsafe readlink(link, &octets, octets.count)
        guard length >= 0 else { throw failure(link, "cannot be followed: \(Errno(rawValue: errno))") }
        return String(decoding: octets.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func workingDirectory() -> String {
        var octets = [CChar](repeating: 0, count: Int(PATH_MAX))
        // getcwd(3) returns null when the path does not fit; then the walk ends at a path that does not exist.
        guard unsafe getcwd(&octets, octets.count) != nil else { return "/" }
        return String(decoding: octets.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func failure(
        _ path: String,
        _ reason: String,
        command: String = "",
        isAbsent: Bool = false
    ) -> KeyFile.Failure {
        KeyFile.Failure(path: path, reason: reason, command: command, isAbsent: isAbsent)
    }
}
