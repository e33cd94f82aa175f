import Glibc

/// The file of a unix socket that this process listens on.
///
/// The socket is bound under a temporary name and renamed over the old one, so that a client finds the old socket or the new
/// one and never none.
package struct UnixListeningSocket: Sendable {
    /// What could not be done to the file.
    struct Failure: Error, CustomStringConvertible {
        let action: String
        let path: String
        let code: CInt
        var description: String { "cannot \(action) \(path): \(unsafe String(cString: strerror(code)))" }
    }

    let path: String
    private let mode: UInt16
    private let group: String?

    /// Where to bind.
    package var temporaryPath: String { "\(path).\(getpid())" }

    /// The file at a path, with the mode and group that it is to have.
    package init(path: String, mode: UInt16, group: String?) {
        self.path = path
        self.mode = mode
        self.group = group
    }

    /// Removes what a process with our number may have left.
    package func prepare() { _ = unsafe unlink(temporaryPath) }

    /// Sets group and mode, and gives the bound socket its name.
    ///
    /// - Returns: the file's identity.
    package func publish() throws -> Identity {
        if let group { try unsafe check(chown(temporaryPath, uid_t.max, groupNumber(group)), "change the group of") }
        try unsafe check(chmod(temporaryPath, mode_t(mode)), "change the mode of")
        guard let identity = Identity(path: temporaryPath) else { throw failure("look at", errno) }
        try unsafe check(rename(temporaryPath, path), "create")
        return identity
    }

    /// Removes the file if it is still ours; a successor may have put its own there.
    package func withdraw(_ identity: Identity) {
        if Identity(path: path) == identity { _ = unsafe unlink(path) }
    }

    /// Which file a path names.
    package struct Identity: Hashable, Sendable {
        let device: dev_t
        let inode: ino_t

        init?(path: String) {
            var status = stat()
            guard unsafe lstat(path, &status) == 0 else { return nil }
            device = status.st_dev
            inode = status.st_ino
        }
    }

    private func groupNumber(_ name: String) throws -> gid_t {
        if let number = gid_t(name) { return number }
        var entry = unsafe group_entry()
        var found: UnsafeMutablePointer<group_entry>?
        // getgrnam_r puts the strings of the entry into the buffer and makes `found` null when there is no such group.
        var buffer = [CChar](repeating: 0, count: 65_536)
        let code = unsafe getgrnam_r(name, &entry, &buffer, buffer.count, &found)
        guard unsafe found != nil else { throw failure("find the group \(name) of", code == 0 ? ENOENT : code) }
        return unsafe entry.gr_gid
    }

    private func check(_ result: CInt, _ action: String) throws {
        if result != 0 { throw failure(action, errno) }
    }

    private func failure(_ action: String, _ code: CInt) -> Failure { Failure(action: action, path: path, code: code) }
}

private typealias group_entry = group
