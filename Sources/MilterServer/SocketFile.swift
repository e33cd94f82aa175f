import Glibc
internal import NIOCore
import Synchronization
internal import SystemPackage

/// The name of a unix socket in the file system.
///
/// The socket is bound under a temporary name and renamed when everything else is ready, so that a client finds the old
/// socket or the new one and never none. Only a file that this process made is ever removed.
package final class SocketFile: Sendable {
    /// What could not be done to the file.
    struct Failure: Error, CustomStringConvertible {
        let action: String
        let path: String
        let code: CInt
        var description: String { "cannot \(action) \(path): \(Errno(rawValue: code))" }
    }

    /// Why the file may not be put at its path.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// What has become of a file that was published.
    package enum Condition: Sendable {
        /// It is where it was put.
        case inPlace
        /// Nothing is at its path any more.
        case gone
        /// Another file is at its path.
        case replaced
    }

    /// Which file a path names.
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
        /// The file that was made.
        var identity: Identity?
        var isPublished = false
        /// Whether the socket that was at the path is kept under another name.
        var keepsOld = false
    }

    /// Where clients find the socket.
    package let path: String
    private let mode: UInt16
    private let group: String?
    private let state = Mutex(State())

    private var temporaryPath: String { "\(path).\(getpid())" }
    private var oldPath: String { "\(temporaryPath).old" }

    /// The file at a path, with the mode and group that it is to have.
    package init(path: String, mode: UInt16, group: String?) {
        self.path = path
        self.mode = mode
        self.group = group
    }

    /// Whether the file is still where it was published; nil when it is not published.
    package var condition: Condition? {
        let state = state.withLock { $0 }
        guard state.isPublished else { return nil }
        guard let identity = Identity(path: path) else { return .gone }
        return identity == state.identity ? .inPlace : .replaced
    }
}

// MARK: Its life

extension SocketFile {
    /// Binds a socket under the temporary name, with the group and mode that the file is to have.
    ///
    /// Nobody can connect yet: the socket does not listen.
    package func bind(takingOver: Bool) throws -> ListeningSocket {
        try checkOccupant(takingOver: takingOver)
        // A process with our number may have left it.
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

    /// Gives the socket its name; what had it until now can be put back.
    package func publish(takingOver: Bool) throws {
        try checkOccupant(takingOver: takingOver)
        let keepsOld = unsafe link(path, oldPath) == 0
        state.withLock { $0.keepsOld = keepsOld }
        try unsafe check(rename(temporaryPath, path), "create")
        state.withLock { $0.isPublished = true }
    }

    /// Gives up what was at the path before.
    package func settle() {
        let keepsOld = state.withLock { state in
            defer { state.keepsOld = false }
            return state.keepsOld
        }
        if keepsOld { _ = unsafe unlink(oldPath) }
    }

    /// Removes the file if it is still ours, and puts back what was there before if that was not given up.
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

    /// Refuses a path where somebody listens, unless his place is to be taken, and one where there is no socket.
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
