import Glibc
internal import NIOCore
import Synchronization
internal import SystemPackage

/// The name of a unix socket in the file system.
///
/// The socket is bound under a temporary name and renamed when everything else is ready. So a client always finds
/// either the old socket or the new one. Only a file that this process made is ever removed.
package final class SocketFile: Sendable {
    /// An operation on the file that failed.
    struct Failure: Error, CustomStringConvertible {
        let action: String
        let path: String
        let code: CInt
        var description: String { "cannot \(action) \(path): \(Errno(rawValue: code))" }
    }

    /// Why the file may not be created at its path.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// The present state of a published file.
    package enum Condition: Sendable {
        /// The file is at its path.
        case inPlace
        /// No file is at the path.
        case gone
        /// Another file is at its path.
        case replaced
    }

    /// The identity of the file at a path.
    private struct Identity: Hashable {
        let device: dev_t
        let inode: ino_t

        init?(path: String) {
            var status = stat()
            guard unsafe lstat(path, &status) == 0 else { return nil }
            device = status.st_dev
            inode = status.st_ino
        }
    }

    private struct State {
        /// The created file.
        var identity: Identity?
        var isPublished = false
        /// Whether the previous socket of the path is kept under another name.
        var keepsOld = false
    }

    /// The path where clients find the socket.
    package let path: String
    private let mode: UInt16
    private let group: String?
    private let state = Mutex(State())

    private var temporaryPath: String { "\(path).\(getpid())" }
    private var oldPath: String { "\(temporaryPath).old" }

    /// The file at a path, with its intended mode and group.
    package init(path: String, mode: UInt16, group: String?) {
        self.path = path
        self.mode = mode
        self.group = group
    }

    /// Whether the file is still at its path; nil when it is not published.
    package var condition: Condition? {
        let state = state.withLock { $0 }
        guard state.isPublished else { return nil }
        guard let identity = Identity(path: path) else { return .gone }
        return identity == state.identity ? .inPlace : .replaced
    }
}

// MARK: Life of the file

extension SocketFile {
    /// Binds a socket under the temporary name, and sets its group and mode.
    ///
    /// Clients cannot connect yet, because the socket does not listen.
    package func bind(takingOver: Bool) throws -> ListeningSocket {
        try checkOccupant(takingOver: takingOver)
        // A process that had our process number may have left the file.
        _ = unsafe unlink(temporaryPath)
        let socket = try ListeningSocket.bound(to: SocketAddress(unixDomainSocketPath: temporaryPath))
        state.withLock { $0.identity = Identity(path: temporaryPath) }
        do {
            if let group {
                try unsafe check(chown(temporaryPath, uid_t.max, groupNumber(group)), "change the group of")
            }
            try unsafe check(chmod(temporaryPath, mode_t(mode)), "change the mode of")
        } catch {
            withdraw()
            throw error
        }
        return socket
    }

    /// Renames the socket to its path; a previous socket can be restored.
    package func publish(takingOver: Bool) throws {
        try checkOccupant(takingOver: takingOver)
        let keepsOld = unsafe link(path, oldPath) == 0
        state.withLock { $0.keepsOld = keepsOld }
        try unsafe check(rename(temporaryPath, path), "create")
        state.withLock { $0.isPublished = true }
    }

    /// Discards the previous socket of the path.
    package func settle() {
        let keepsOld = state.withLock { state in
            defer { state.keepsOld = false }
            return state.keepsOld
        }
        if keepsOld { _ = unsafe unlink(oldPath) }
    }

    /// Removes the file if it is still ours, and restores the previous socket unless it was discarded.
    package func withdraw() {
        let last = state.withLock { state in
            defer { state = State() }
            return state
        }
        let name = last.isPublished ? path : temporaryPath
        let isOurs = last.identity != nil && Identity(path: name) == last.identity
        if isOurs, last.isPublished, last.keepsOld, unsafe rename(oldPath, path) == 0 { return }
        if isOurs { _ = unsafe unlink(name) }
        if last.keepsOld { _ = unsafe unlink(oldPath) }
    }

    /// Refuses a path where a process listens, unless its place is to be taken, and a path of a file that is not a
    /// socket.
    private func checkOccupant(takingOver: Bool) throws {
        switch try SocketOccupant(at: path, isAsked: !takingOver) {
        case .nothing, .abandoned, .unasked: return
        case .alive:
            throw Refusal(description: "another postern answers at \(path); stop it, or start with --take-over")
        case .unknown(let code):
            throw Refusal(
                description: "whether another postern answers at \(path) cannot be found out "
                    + "(\(Errno(rawValue: code))); remove it, or start with --take-over"
            )
        case .noSocket(let kind):
            throw Refusal(description: "\(path) is \(kind), not a socket; remove it, or choose another path")
        }
    }
}

extension SocketFile {
    private func groupNumber(_ name: String) throws -> gid_t {
        if let number = gid_t(name) { return number }
        var entry = unsafe group_entry()
        var found: UnsafeMutablePointer<group_entry>?
        // getgrnam_r puts the strings of the entry into the buffer, and sets `found` to null if there is no such group.
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
