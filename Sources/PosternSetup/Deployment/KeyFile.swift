internal import Glibc
internal import MailCrypto
internal import PosternConfiguration
internal import SystemPackage

/// Reads private keys from files that nobody else can read, replace or redirect.
///
/// The rule, as postern(8) has it: the file, and every directory on the way, those that symbolic links lead to
/// included, belongs to root or to the account that runs the daemon; nobody else may write to it; and of others only the
/// account's groups may read the file. A directory with the sticky bit passes, for in it nobody can replace what belongs
/// to another.
public enum KeyFile {
    /// Why a key file is not read.
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// The file, directory or link that is not as it should be.
        public let path: String
        /// What is wrong, with the bit of the mode where it is one.
        public let reason: String
        /// What mends it, to be typed by root; empty when that is not known.
        public let command: String
        /// Whether the path does not exist.
        public let isAbsent: Bool

        /// Path and reason as one line.
        public var description: String { "\(path) \(reason)" }
    }

    /// Where the package has keys.
    public static let folder = "/etc/postern/keys"

    /// How long a key file may be; an RSA key of 8192 bits takes 6,400 octets in PEM.
    static let maximumLength = 65_536

    /// The octets of a key file, when the file and its path are safe, and this process, which is `account`, may read it.
    public static func read(_ path: String, as account: Account = .current) throws(Failure) -> [UInt8] {
        let check = KeyPathCheck(account: account)
        do throws(Failure) {
            return try check.octets(of: check.resolve(path))
        } catch {
            throw check.checkedForDamage(error, of: path)
        }
    }

    /// Why a key file is not safe, cannot be read, or is none; nil when it is and can.
    public static func problem(with path: String, as account: Account = .current) -> Failure? {
        do throws(Failure) {
            _ = try read(path, as: account)
            return nil
        } catch {
            return error
        }
    }
}

/// Looks at each step of a path.
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

    /// Opens a file, checks what was opened, and reads it.
    func octets(of path: String) throws(KeyFile.Failure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            // What is wrong with the file itself comes first: a command that mends one thing mends both.
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

    /// The failure with its command only where that does no damage: what changes who may read a file, or a directory on the
    /// way to it, is for private keys alone, and not for a path that was mistaken for a key's.
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

    /// Whether a file that cannot be read has a place or a name that keys have.
    private static func isNamedAsKey(_ path: String) -> Bool {
        path.hasPrefix(KeyFile.folder + "/") || [".pem", ".key", ".private"].contains { path.hasSuffix($0) }
    }

    /// Reads what was opened.
    private func contents(of path: String, _ descriptor: Int32) throws(KeyFile.Failure) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: KeyFile.maximumLength + 1)
        var length = 0
        while length < octets.count {
            // read(2) writes at most as many octets as it is told; 0 is the end.
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
        // One command mends the directory, whatever is wrong with it.
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
        // Reading by its group is how the account reads the file at all.
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

    /// What makes a key file as it should be.
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
        // Other directories, such as somebody's home, are better left as they are.
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
